import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { executeQuery } from '../../../infra/local/log-store/kql/execute.ts';
import { type Cells, cellColumns, given } from '../../../infra/local/log-store/kql/relation.ts';
import { publishedTables } from '../../../infra/local/log-store/tables.ts';
import { faultsOfQuery } from '../../support/kql.ts';
import { ROOT } from './template.ts';

const folder = `${ROOT}infra/azure/queries`;
const { items } = JSON.parse(readFileSync(`${ROOT}infra/azure/workbook.json`, 'utf8')) as {
  items: { name: string; content: { query: string } }[];
};
const queries = [
  ...readdirSync(folder).map((file) => [`alert ${file}`, readFileSync(`${folder}/${file}`, 'utf8')]),
  ...items.map(({ name, content }) => [`workbook ${name}`, content.query]),
];

test.each(queries)(
  'the query of %s is understood by the official parser over the published schemas',
  (_name, query) => {
    expect(faultsOfQuery(query ?? '')).toEqual([]);
  },
);

const HOST = 'https://contoso.managedhsm.azure.net';
const GRANT = 'providers/Microsoft.Authorization/roleAssignments/11111111-1111-4111-8111-111111111111';
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
  ['silence', 'any row', 'KeyGet', '/keys/orders', 200, false],
];

test.each(CALLS)('%s: %s', (rule, _what, operation, path, status, fires) => {
  expect(rowsOf(rule, [[operation, `${HOST}${path}?api-version=2025-07-01`, status]])).toBe(fires ? 1 : 0);
});

test('silence: no row at all', () => {
  expect(rowsOf('silence', [])).toBe(1);
});

test('no rule looks at rows of other services', () => {
  for (const rule of readdirSync(folder).filter((file) => file !== 'silence.kql')) {
    const vault = '/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/vaults/contoso';
    const calls = CALLS.map(([, , operation, path, status]): Call => [operation, `${HOST}${path}`, status]);
    expect(rowsOf(rule.replace('.kql', ''), calls, vault)).toBe(0);
  }
});

type Call = [operation: string, uri: string, status: number];

/** How many rows the query of a rule finds: an alert fires on more than none. */
function rowsOf(
  rule: string,
  calls: Call[],
  resource = '/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/managedhsms/contoso',
): number {
  const schema = publishedTables().find(({ name }) => name === 'AZKVAuditLogs');
  if (!schema) throw new Error('no schema');
  const rows: Cells[] = calls.map(([OperationName, RequestUri, HttpStatusCode]) => {
    const row: Record<string, string | number> = { OperationName, RequestUri, HttpStatusCode, _ResourceId: resource };
    return schema.columns.map(({ name }) => row[name] ?? null) as Cells;
  });
  const relation = () => ({ source: schema.name, rows: given(rows), columns: cellColumns(schema.columns) });
  const query = readFileSync(`${folder}/${rule}.kql`, 'utf8');
  return executeQuery(query, { tables: [{ schema, relation }], now: new Date('2026-11-22T12:00:00Z') }).rows.length;
}
