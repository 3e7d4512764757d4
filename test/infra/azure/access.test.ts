import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { complaints, ELSEWHERE, ON_STORAGE } from './duties.ts';
import { dutyIn, type Fields, made, modules, params, ROOT, template } from './template.ts';

const lost = complaints(template, JSON.parse(readFileSync(`${ROOT}infra/azure/hsm-roles.json`, 'utf8')));

test.each([...ON_STORAGE, ...ELSEWHERE])('%s has what it needs for %s', (duty, need) => {
  expect(lost).not.toContain(`${duty} loses ${need}`);
});

test('nobody has more than these duties need', () => {
  expect(lost).toEqual([]);
});

const granted = (params('access').assignments as Fields[]).map(({ principalId }) => ({
  duty: dutyIn(principalId ?? ''),
}));
const handedOn = modules()
  .filter(({ at }) => !at.includes('/'))
  .flatMap(({ at, params: given }) =>
    Object.entries(given)
      .filter(([, value]) => String(value).includes('.principalId') && !Array.isArray(value))
      .map(([param, value]) => ({ duty: dutyIn(value), at, param })),
  );

test('no module but those that grant is told who an identity is', () => {
  const known = ELSEWHERE.map(([duty, , at, param]) => ({ duty, at: at.split('/')[0], param }));
  expect(handedOn).toEqual(expect.arrayContaining(known));
  expect(handedOn).toHaveLength(known.length);
});

test('rotate, respond and reinstate have no Azure role at all: theirs are inside the HSM', () => {
  const duties = new Set([...granted, ...handedOn].map(({ duty }) => duty));
  expect([...duties].toSorted()).toEqual(['backup', 'host', 'observe', 'record', 'restore']);
});

test('making and removing HSMs is granted only where recoveries are asked for', () => {
  const { resources } = JSON.parse(readFileSync(`${ROOT}infra/azure/main.json`, 'utf8')) as {
    resources: Record<string, { condition?: string }>;
  };
  for (const module of ['recover', 'recoverDeleted', 'joinsSubnet', 'joinsZone', 'attaches'])
    expect(resources[module]?.condition).toBe("[variables('appMakesHsms')]");
  expect(template.variables?.appMakesHsms).toBe("[and(parameters('recoveries'), parameters('restores'))]");
  const defaults = JSON.parse(readFileSync(`${ROOT}infra/azure/main.json`, 'utf8')).parameters;
  expect([defaults.recoveries.defaultValue, defaults.reinstates.defaultValue]).toEqual([false, false]);
});

test('nobody may write both what is decided and the journal, without which a decision does not count', () => {
  const writers = (place: string) =>
    ON_STORAGE.filter(([, , account, container, role]) => {
      const reaches = account === 'stateAccount' && (container === place || container === '');
      return reaches && !role.endsWith('Reader');
    }).map(([duty]) => duty);
  expect([writers('state'), writers('journal')]).toEqual([['observe'], ['record']]);
});

test('custom Azure roles name each action, without a wildcard and without the right to grant', () => {
  const actions = made('Microsoft.Authorization/roleDefinitions').flatMap(({ properties }) =>
    (properties.permissions as Fields[]).flatMap(({ actions, dataActions }) => [actions, dataActions].flat()),
  );
  expect(actions.length).toBeGreaterThan(10);
  for (const action of actions) expect(String(action)).not.toMatch(/\*|Authorization/);
});

test('custom Azure roles have names that no other installation in the tenant has: Azure takes each once', () => {
  for (const { properties } of made('Microsoft.Authorization/roleDefinitions'))
    expect(properties.roleName).toMatch(
      /parameters\('installation'\), uniqueString\((resourceGroup|subscription)\(\)\.id\)\)\]$/,
    );
});

test('no role is granted to a person, and none outside of one resource but where deleted HSMs are found', () => {
  for (const { at, properties, body } of made('Microsoft.Authorization/roleAssignments')) {
    expect(properties.principalType).toBe('ServicePrincipal');
    expect([at, body.scope === undefined]).toEqual([
      at,
      ['recover/assignment', 'recoverDeleted/assignment'].includes(at),
    ]);
  }
});

test('every duty has an identity of its own, with a local role in hsm-roles.json where it acts on an HSM', () => {
  const local = JSON.parse(readFileSync(`${ROOT}infra/azure/hsm-roles.json`, 'utf8')) as { duty: string }[];
  const [identities] = made('Microsoft.ManagedIdentity/userAssignedIdentities');
  expect(identities?.body.copy).toMatchObject({ count: "[length(variables('duties'))]" });
  const names = local.map(({ duty }) => duty).filter((duty) => duty !== 'maintain-policy');
  const [, duties] = /'(observe.*record)'/.exec(bicepOf('access/identities').replaceAll("', '", ' ')) ?? [];
  expect(duties?.split(' ')).toEqual([...names, 'host', 'record']);
});

function bicepOf(module: string): string {
  return readFileSync(`${ROOT}infra/azure/modules/${module}.bicep`, 'utf8');
}
