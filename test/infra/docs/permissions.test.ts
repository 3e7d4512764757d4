import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { operatorRoutes } from '../../../functions/operator/routes.ts';
import { dutyIn, type Fields, modules, params, ROOT, sourceOf, template } from '../azure/template.ts';
import { quoted, type Row, tableBelow } from './documents.ts';

const PATH = 'infra/docs/permissions.md';
const dutyOf = ({ duty = '' }: Row) => duty.replaceAll('`', '');

describe('the table of data actions', () => {
  const rows = tableBelow(PATH, 'In the HSM');
  const local = JSON.parse(readFileSync(`${ROOT}infra/azure/hsm-roles.json`, 'utf8')) as {
    duty: string;
    permissions: { dataActions: string[] }[];
  }[];
  const short = (action: string) => action.replace('Microsoft.KeyVault/managedHsm/', '').replace(/\/action$/, '');
  const held = new Map(
    local.map(({ duty, permissions }) => [duty, permissions.flatMap(({ dataActions }) => dataActions.map(short))]),
  );

  test.each(rows)('grants $feature no action that $duty does not hold', (row) => {
    const actions = quoted(row['data actions'] ?? '');
    expect(actions.length).toBeGreaterThan(0);
    expect(actions.filter((action) => !held.get(dutyOf(row))?.includes(action))).toEqual([]);
  });

  test.each([...held])('says what each action of %s is for', (duty, actions) => {
    const named = rows.filter((row) => dutyOf(row) === duty).flatMap((row) => quoted(row['data actions'] ?? ''));
    expect(actions.filter((action) => !named.includes(action))).toEqual([]);
  });

  test('says for each feature what happens without', () => {
    expect(rows.filter((row) => row['without it'] === '')).toEqual([]);
  });
});

/** Built-in roles. https://learn.microsoft.com/azure/role-based-access-control/built-in-roles */
const ROLES: Record<string, string> = {
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
  'Storage Blob Data Contributor': 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
  'Storage Blob Data Reader': '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1',
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88',
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
  'EventGrid Data Sender': 'd5a91429-5739-47e2-a06b-3470a27159e7',
  'Log Analytics Reader': '73c42c96-874c-492b-b04d-ab87d138a893',
  'Monitoring Metrics Publisher': '3913510d-42f4-4e42-8a64-420c390055eb',
  Reader: 'acdd72a7-3385-48ef-bd42-f606fba81ae7',
  'Key Vault Secrets User': '4633458b-17de-408a-b874-0445c86b69e6',
  'Managed Identity Operator': 'f1a07417-d97a-45cb-824c-7a7467783830',
};

/** How the document names what a module of the template grants on, and the module. */
const PLACES: Record<string, string> = {
  telemetry: 'monitoring',
  workspace: 'monitoring',
  topic: 'topic',
  'each HSM': 'hsmWatch',
  'mail secret': 'mailSecret',
  'webhook secret': 'webhookSecret',
  'groups of the HSMs': 'recover',
  'subscriptions of the HSMs': 'recoverDeleted',
  'subnet of endpoints': 'joinsSubnet',
  'DNS zone of HSMs': 'joinsZone',
  'backup identity': 'attaches',
};

describe('the table of Azure roles', () => {
  const rows = tableBelow(PATH, 'In Azure');
  const given = template.variables as { roles: Record<string, string> };
  const onStorage = (params('access').assignments as Fields[]).map(
    ({ account, container, queue, principalId, role }) => {
      const place = String(container ?? queue ?? '');
      const key = /variables\('roles'\)\.(\w+)/.exec(String(role))?.[1] ?? '';
      const name =
        Object.keys(ROLES).find((each) => ROLES[each] === given.roles[key]) ?? 'Key lifecycle: locked copies';
      const where = sourceOf(account ?? '').replace('Account', ' account');
      return `${dutyIn(principalId ?? '')} ${name} ${where}${place === '' ? '' : `, ${place}`}`;
    },
  );
  const elsewhere = modules().filter(
    ({ at, params: one }) =>
      !at.includes('/') &&
      Object.values(one).some((value) => !Array.isArray(value) && /\.principalId/.test(String(value))),
  );

  test.each(rows)('grants $duty the role $role on $on as the template does', (row) => {
    const { role = '', on = '' } = row;
    const module = PLACES[on];
    if (module === undefined) {
      expect(onStorage).toContain(`${dutyOf(row)} ${role} ${on.replaceAll('`', '')}`);
      return;
    }
    const call = elsewhere.find(({ at }) => at === module);
    expect(Object.values(call?.params ?? {}).map(dutyIn)).toContain(dutyOf(row));
    expect(JSON.stringify((template.resources as Fields)[module])).toContain(ROLES[role] ?? role);
  });

  test('names every grant of the template', () => {
    const named = rows.map((row) => `${dutyOf(row)} ${row.role} ${row.on?.replaceAll('`', '')}`);
    expect(onStorage.filter((grant) => !named.includes(grant))).toEqual([]);
    const places = rows.map(({ on = '' }) => PLACES[on]);
    expect(elsewhere.map(({ at }) => at).filter((at) => !places.includes(at))).toEqual([]);
  });
});

describe('the table of app roles', () => {
  const rows = tableBelow(PATH, 'In the operator API');

  test.each(operatorRoutes)('says who may $operation', ({ operation, anyOf }) => {
    const found = rows.filter(({ operations = '' }) => quoted(operations).includes(operation));
    expect(found.map((row) => row['app roles'])).toEqual([anyOf.join(', ')]);
  });

  test('names no operation that does not exist', () => {
    const known = operatorRoutes.map(({ operation }) => operation as string);
    expect(rows.flatMap(({ operations = '' }) => quoted(operations)).filter((name) => !known.includes(name))).toEqual(
      [],
    );
  });
});
