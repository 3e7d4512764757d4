import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dutyIn, type Fields, made, modules, params, ROOT, sourceOf } from './template.ts';

/** [duty, what is lost without it, account, container or queue, role]. The whole of it: nothing else is granted on storage. */
const ON_STORAGE = [
  ['host', 'locks, timers, histories and packages', 'hostAccount', '', 'blobOwner'],
  ['host', 'work items of orchestrations', 'hostAccount', '', 'queueContributor'],
  ['host', 'histories of orchestrations', 'hostAccount', '', 'tableContributor'],
  ['observe', 'the policy', 'stateAccount', 'policy', 'blobReader'],
  ['observe', 'state', 'stateAccount', 'state', 'blobContributor'],
  ['observe', 'the journal', 'stateAccount', 'journal', 'blobContributor'],
  ['observe', 'evidence', 'stateAccount', 'evidence', 'blobContributor'],
  ['observe', 'backups of single keys before a rotation', 'stateAccount', 'key-backups', 'blobContributor'],
  ['observe', 'key events', 'stateAccount', 'key-events', 'queueContributor'],
  ['observe', 'key events that failed', 'stateAccount', 'key-events-poison', 'queueContributor'],
  ['backup', 'backups that the HSM writes', 'landingAccount', '', 'blobContributor'],
  ['backup', 'locked copies', 'vaultAccount', 'hsm-backups', 'copiesRole'],
] as const;

const granted = (params('access').assignments as Fields[]).map(({ account, container, queue, principalId, role }) => ({
  duty: dutyIn(principalId ?? ''),
  account: sourceOf(account ?? ''),
  place: String(container ?? queue ?? ''),
  role: /variables\('roles'\)\.(\w+)/.exec(String(role))?.[1] ?? sourceOf(role ?? ''),
}));

test.each(ON_STORAGE)('%s has what it needs for %s', (duty, _need, account, place, role) => {
  expect(granted).toContainEqual({ duty, account, place, role });
});

test('nobody has more on storage than these duties need', () => {
  expect(granted).toHaveLength(ON_STORAGE.length);
});

/** Every place in the template that is given an identity's principal: outside of storage, each grants one thing. */
const ELSEWHERE = [
  ['observe', 'publishing events', 'topic', 'publisherId'],
  ['observe', 'reading audit logs', 'monitoring', 'readerId'],
  ['observe', 'reading an HSM as an Azure resource', 'hsmWatch', 'observerId'],
  ['host', 'telemetry', 'monitoring', 'writerId'],
  ['host', 'the sign-in to the mail server', 'mailSecret', 'principalId'],
  ['host', 'the signing secrets of webhooks', 'webhookSecret', 'principalId'],
  ['restore', 'making an HSM in a recovery', 'recover', 'principalId'],
  ['restore', 'finding and purging deleted HSMs', 'recoverDeleted', 'principalId'],
  ['restore', 'putting the private endpoint of an HSM that it made into the subnet', 'joinsSubnet', 'principalId'],
  ['restore', 'naming an HSM that it made', 'joinsZone', 'principalId'],
  ['restore', 'attaching the backup identity to an HSM that it made', 'attaches', 'principalId'],
] as const;

const handedOn = modules()
  .filter(({ at }) => !at.includes('/'))
  .flatMap(({ at, params: given }) =>
    Object.entries(given)
      .filter(([, value]) => String(value).includes('.principalId') && !Array.isArray(value))
      .map(([param, value]) => ({ duty: dutyIn(value), at, param })),
  );

test.each(ELSEWHERE)('%s has what it needs for %s', (duty, _need, at, param) => {
  expect(handedOn).toContainEqual({ duty, at, param });
});

test('no other module is told who an identity is', () => {
  expect(handedOn).toHaveLength(ELSEWHERE.length);
});

test('rotate, respond and reinstate have no Azure role at all: theirs are inside the HSM', () => {
  const duties = new Set([...granted, ...handedOn].map(({ duty }) => duty));
  expect([...duties].toSorted()).toEqual(['backup', 'host', 'observe', 'restore']);
});

test('making and removing HSMs is granted only where recoveries are asked for', () => {
  const { resources } = JSON.parse(readFileSync(`${ROOT}infra/azure/main.json`, 'utf8')) as {
    resources: Record<string, { condition?: string }>;
  };
  for (const module of ['recover', 'recoverDeleted', 'joinsSubnet', 'joinsZone', 'attaches'])
    expect(resources[module]?.condition).toBe("[parameters('recoveries')]");
  const defaults = JSON.parse(readFileSync(`${ROOT}infra/azure/main.json`, 'utf8')).parameters;
  expect([defaults.recoveries.defaultValue, defaults.reinstates.defaultValue]).toEqual([false, false]);
});

test('custom Azure roles name each action, without a wildcard and without the right to grant', () => {
  const actions = made('Microsoft.Authorization/roleDefinitions').flatMap(({ properties }) =>
    (properties.permissions as Fields[]).flatMap(({ actions, dataActions }) => [actions, dataActions].flat()),
  );
  expect(actions.length).toBeGreaterThan(10);
  for (const action of actions) expect(String(action)).not.toMatch(/\*|Authorization/);
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
  const [, duties] = /'(observe.*host)'/.exec(bicepOf('identities').replaceAll("', '", ' ')) ?? [];
  expect(duties?.split(' ')).toEqual([...names, 'host']);
});

function bicepOf(module: string): string {
  return readFileSync(`${ROOT}infra/azure/modules/${module}.bicep`, 'utf8');
}
