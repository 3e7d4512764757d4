import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DutyRole } from '../../../infra/tools/setup-plan.ts';
import { complaints } from './duties.ts';
import { dutyIn, everything, type Fields, modules, ROOT } from './template.ts';

/** Read anew for each mutation, as it is deployed: whatever is broken in one is whole in the next. */
const committed = readFileSync(`${ROOT}infra/azure/main.json`, 'utf8');
const template = () => JSON.parse(committed) as { [key: string]: Fields };
const local = readFileSync(`${ROOT}infra/azure/hsm-roles.json`, 'utf8');
const roles = () => JSON.parse(local) as DutyRole[];

test('the deployment as it is loses no duty anything, and gives nobody more', () => {
  expect(complaints(template(), roles())).toEqual([]);
});

const rows = (of: { [key: string]: Fields }) =>
  (modules(of).find(({ at }) => at === 'access')?.params.assignments ?? []) as Fields[];

describe('a grant on storage that is taken out of the template is missed by its duty', () => {
  test.each(rows(template()).map((row, at) => [dutyIn(row.principalId ?? ''), at] as const))(
    '%s, row %i',
    (duty, at) => {
      const broken = template();
      rows(broken).splice(at, 1);
      expect(complaints(broken, roles())).toEqual([expect.stringMatching(new RegExp(`^${duty} loses `))]);
    },
  );

  test.each(rows(template()).map((_, at) => [at]))(
    'row %i given to another duty is missed, and is more than its own',
    (at) => {
      const broken = template();
      const row = rows(broken)[at] as Fields;
      const duty = dutyIn(row.principalId ?? '');
      row.principalId = "[reference('identities').outputs.respond.value.principalId]";
      const found = complaints(broken, roles());
      expect(found).toContainEqual(expect.stringMatching(new RegExp(`^${duty} loses `)));
      expect(found).toContainEqual(expect.stringMatching(/^more than a duty: respond /));
    },
  );
});

/** Path of each role assignment and role of the template, with who misses it. */
const granted = everything(template()).filter(
  ({ type, existing }) => /^Microsoft\.Authorization\/role(Assignments|Definitions)$/.test(type) && !existing,
);
const MISSED: Record<string, RegExp> = {
  monitoring: /^(observe|host) loses /,
  topic: /^(observe|topic) loses /,
  hsmWatch: /^observe loses /,
  access: /^(host|observe|record|backup) loses /,
  copiesRole: /^backup loses /,
  mailSecret: /^host loses /,
  webhookSecret: /^host loses /,
  postOffice: /^mail loses /,
};

test.each(granted.map(({ at }) => [at]))('%s, taken out of its module, is missed by a duty', (at) => {
  const broken = template();
  const path = at.split('/');
  const last = path.pop() as string;
  let inner = broken as Fields;
  for (const name of path)
    inner = ((inner.resources as Record<string, { properties: Fields }>)[name]?.properties.template ?? {}) as Fields;
  delete (inner.resources as Fields)[last];
  const missed = complaints(broken, roles()).filter((one) => one.includes(' loses '));
  expect(missed.length).toBeGreaterThan(0);
  for (const one of missed) expect(one).toMatch(MISSED[path[0] ?? at] ?? /^restore loses /);
});

describe('an action of a role', () => {
  const actions = everything(template())
    .filter(({ type }) => type === 'Microsoft.Authorization/roleDefinitions')
    .flatMap(({ at, properties }) =>
      (properties.permissions as Record<string, string[]>[]).flatMap((permission, index) =>
        ['actions', 'dataActions'].flatMap((kind) =>
          (permission[kind] ?? []).map((action) => [at, action, index, kind] as const),
        ),
      ),
    );

  test.each(actions)('%s: %s, taken out, is missed by its duty', (at, action, index, kind) => {
    const broken = template();
    const { permissions } = everything(broken).find((one) => one.at === at)?.properties ?? {};
    const permission = (permissions as Record<string, string[]>[])[index] as Record<string, string[]>;
    permission[kind] = (permission[kind] ?? []).filter((one) => one !== action);
    const duty = at.startsWith('copiesRole') ? 'backup' : 'restore';
    expect(complaints(broken, roles())).toEqual([expect.stringMatching(new RegExp(`^${duty} loses `))]);
  });

  const inHsm = roles().flatMap(({ duty, permissions }) =>
    permissions.flatMap(({ dataActions }) => dataActions.map((action) => [duty, action] as const)),
  );

  test.each(inHsm)('inside the HSM, %s: %s, taken out, is missed by its duty', (duty, action) => {
    const broken = roles();
    for (const role of broken.filter((one) => one.duty === duty))
      for (const permission of role.permissions)
        permission.dataActions = permission.dataActions.filter((one) => one !== action);
    expect(complaints(template(), broken)).toEqual([expect.stringMatching(new RegExp(`^${duty} loses `))]);
  });

  test.each(roles().map(({ duty }) => [duty]))('inside the HSM, one that %s does not need is found', (duty) => {
    const broken = roles();
    const action = 'Microsoft.KeyVault/managedHsm/keys/delete';
    broken.find((one) => one.duty === duty)?.permissions[0]?.dataActions.push(action);
    expect(complaints(template(), broken)).toEqual([`more than a duty: ${duty} ${action}`]);
  });
});

test.each(['blobOwner', 'blobContributor', 'blobReader', 'queueContributor', 'tableContributor'])(
  'another role under the name %s is found',
  (name) => {
    const broken = template();
    (broken.variables?.roles as Fields)[name] = '00000000-0000-0000-0000-000000000000';
    expect(complaints(broken, roles())).toContainEqual(expect.stringMatching(/ loses /));
  },
);
