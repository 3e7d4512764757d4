import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { executeQuery } from '../../../infra/local/log-store/kql/execute.ts';
import { type Cells, cellColumns, given } from '../../../infra/local/log-store/kql/relation.ts';
import { ticksOfDate } from '../../../infra/local/log-store/kql/time.ts';
import { publishedTables } from '../../../infra/local/log-store/tables.ts';
import { faultsOfQuery } from '../../support/kql.ts';
import { ROOT } from './template.ts';

const folder = `${ROOT}infra/azure/queries`;
const { items } = JSON.parse(readFileSync(`${ROOT}infra/azure/workbook.json`, 'utf8')) as {
  items: { name: string; content: { query?: string } }[];
};
const tables = publishedTables({ AzureDiagnostics: ['requestUri_s', 'httpStatusCode_d'] });
const read = (rule: string) => readFileSync(`${folder}/${rule}.kql`, 'utf8');
const rules = readdirSync(folder)
  .map((file) => file.replace('.kql', ''))
  .filter((rule) => rule !== 'calls');
/** As modules/watch/alerts.bicep puts them together. */
const whole = (rule: string, hsms: string[] = []) =>
  `${read('calls')}${read(rule).replaceAll('dynamic([])', `dynamic(${JSON.stringify(hsms)})`)}`;
const queries = [
  ...rules.map((rule) => [`alert ${rule}`, whole(rule)]),
  ...items.flatMap(({ name, content }) => (content.query ? [[`workbook ${name}`, content.query]] : [])),
];

test.each(queries)(
  'the query of %s is understood by the official parser over the published schemas',
  (_name, query) => {
    expect(faultsOfQuery(query ?? '')).toEqual([]);
  },
);

const NOON = new Date('2026-11-22T12:00:00Z');
const emptyTables = tables.map((schema) => ({
  schema,
  relation: () => ({
    source: schema.name,
    rows: given([]),
    columns: cellColumns(schema.columns),
    ingestion: () => null,
  }),
}));
const HOST = 'https://contoso.managedhsm.azure.net';
const CONTOSO = '/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/managedhsms/contoso';
const GRANT = 'providers/Microsoft.Authorization/roleAssignments/11111111-1111-4111-8111-111111111111';
const ROLE = 'providers/Microsoft.Authorization/roleDefinitions/11111111-1111-4111-8111-111111111111';
const VERSION = '0123456789abcdef0123456789abcdef';

/** [rule, what happened, operation, path, status, whether the rule fires]. */
const CALLS: [string, string, string, string, number, boolean][] = [
  ['security-domain', 'a download', 'SecurityDomainDownload', '/securitydomain/download', 202, true],
  ['security-domain', 'a refused upload', 'Other', '/securitydomain/upload', 403, true],
  ['security-domain', 'reading a key', 'KeyGet', '/keys/orders', 200, false],
  ['restore', 'a full restore', 'Other', '/restore', 202, true],
  ['restore', 'a restore of one key from a full backup', 'Other', '/keys/orders/restore', 202, true],
  ['restore', 'following a restore', 'Other', '/restore/1/pending', 200, false],
  ['restore', 'a full backup', 'Other', '/backup', 202, false],
  ['purge', 'a purge', 'KeyPurge', '/deletedkeys/orders', 204, true],
  ['purge', 'a purge that was refused', 'KeyPurge', '/deletedkeys/orders', 403, true],
  ['purge', 'a purge under another name', 'DeletedKeyRemove', '/deletedkeys/orders', 204, true],
  ['purge', 'looking at a deleted key', 'KeyGetDeleted', '/deletedkeys/orders', 200, false],
  ['role-at-hsm', 'a grant at the HSM', 'RoleAssignmentPut', `/${GRANT}`, 201, true],
  ['role-at-hsm', 'a grant for all keys', 'RoleAssignmentPut', `/keys/${GRANT}`, 201, true],
  ['role-at-hsm', 'a grant for one key', 'RoleAssignmentPut', `/keys/orders/${GRANT}`, 201, false],
  ['role-at-hsm', 'taking a role away', 'RoleAssignmentDelete', `/${GRANT}`, 200, false],
  ['key-export', 'a backup of a key', 'KeyBackup', '/keys/orders/backup', 200, true],
  ['key-export', 'a release under another name', 'Other', `/keys/orders/${VERSION}/release`, 200, true],
  ['key-export', 'a backup that was refused', 'KeyBackup', '/keys/orders/backup', 403, false],
  ['key-export', 'a key with the name backup', 'KeyGet', '/keys/backup', 200, false],
  ['guard-rail', 'a role that is defined', 'Other', `/${ROLE}`, 201, true],
  ['guard-rail', 'a role that is read', 'Other', `/${ROLE}`, 200, false],
  ['guard-rail', 'a setting that is changed', 'Other', '/settings/AllowKeyManagementOperationsThroughARM', 200, true],
  ['guard-rail', 'a list of settings', 'Other', '/settings', 200, false],
  ['silence', 'any row', 'KeyGet', '/keys/orders', 200, false],
];

describe.each(['AZKVAuditLogs', 'AzureDiagnostics'] as const)('where the log is in %s', (table) => {
  test.each(CALLS)('%s: %s', (rule, _what, operation, path, status, fires) => {
    expect(rowsOf(rule, { table, calls: [[operation, `${HOST}${path}?api-version=2025-07-01`, status]] })).toHaveLength(
      fires ? 1 : 0,
    );
  });
});

test('a row that comes hours late is told when it comes, and not again half an hour after', () => {
  const calls: Call[] = [['KeyPurge', `${HOST}/deletedkeys/orders`, 204]];
  expect(rowsOf('purge', { calls, happened: '2026-11-22T07:00:00Z', arrived: '2026-11-22T11:55:00Z' })).toHaveLength(1);
  expect(rowsOf('purge', { calls, happened: '2026-11-22T07:00:00Z', arrived: '2026-11-22T11:30:00Z' })).toEqual([]);
});

test('silence: of two HSMs, the one of which no row came', () => {
  const calls: Call[] = [['KeyGet', `${HOST}/keys/orders`, 200]];
  const second = CONTOSO.replace('contoso', 'second');
  expect(rowsOf('silence', { calls, hsms: [CONTOSO, second] })).toEqual([[second]]);
  expect(rowsOf('silence', { calls: [], hsms: [CONTOSO, second] })).toHaveLength(2);
});

test('no rule looks at rows of other services', () => {
  const resource = '/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/vaults/contoso';
  const calls = CALLS.map(([, , operation, path, status]): Call => [operation, `${HOST}${path}`, status]);
  for (const rule of rules.filter((one) => one !== 'silence')) expect(rowsOf(rule, { calls, resource })).toEqual([]);
});

test('every panel of the workbook runs over an empty log, and looks at the time that is chosen', () => {
  const panels = items.filter(({ content }) => content.query);
  expect(panels.length).toBeGreaterThan(6);
  for (const { content } of panels) {
    expect(content).toMatchObject({ timeContextFromParameter: 'Range' });
    expect(executeQuery(String(content.query), { tables: emptyTables, now: NOON }).rows).toEqual([]);
  }
});

type Call = [operation: string, uri: string, status: number];
interface Told {
  calls: Call[];
  table?: 'AZKVAuditLogs' | 'AzureDiagnostics';
  resource?: string;
  hsms?: string[];
  happened?: string;
  arrived?: string;
}

/** What the query of a rule finds at noon: an alert fires on more than nothing. */
function rowsOf(rule: string, told: Told) {
  const { table = 'AZKVAuditLogs', resource = CONTOSO, hsms = [CONTOSO] } = told;
  const { happened = '2026-11-22T11:50:00Z', arrived = '2026-11-22T11:55:00Z' } = told;
  const schema = tables.find(({ name }) => name === table);
  if (!schema) throw new Error('no schema');
  const rows: Cells[] = told.calls.map(([operation, uri, status]): Cells => {
    const row: Record<string, string | number> = {
      ...{ OperationName: operation, _ResourceId: resource, TimeGenerated: ticksOfDate(new Date(happened)) },
      ...{ RequestUri: uri, HttpStatusCode: status, requestUri_s: uri, httpStatusCode_d: status },
      ...{ ResourceProvider: 'MICROSOFT.KEYVAULT', ResourceType: 'MANAGEDHSMS' },
    };
    return schema.columns.map(({ name }) => row[name] ?? null) as Cells;
  });
  // The other table is there, and empty.
  const both = tables.filter(({ name }) => name === 'AZKVAuditLogs' || name === 'AzureDiagnostics');
  const present = both.map((one) => ({
    schema: one,
    relation: () => ({
      ...{ source: one.name, rows: given(one === schema ? rows : []), columns: cellColumns(one.columns) },
      ingestion: () => ticksOfDate(new Date(arrived)),
    }),
  }));
  return executeQuery(whole(rule, hsms), { tables: present, now: NOON }).rows;
}
