import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createClock } from '../../../../infra/local/clock.ts';
import { checkQuery } from '../../../../infra/local/log-store/kql/check.ts';
import { executeQuery } from '../../../../infra/local/log-store/kql/execute.ts';
import { typeNamed } from '../../../../infra/local/log-store/kql/value.ts';
import { createLogStore } from '../../../../infra/local/log-store/store.ts';
import {
  columnsOfTable,
  publishedColumns,
  publishedTables,
  TABLE_NAMES,
} from '../../../../infra/local/log-store/tables.ts';
import { createWorkspace } from '../../../../infra/local/log-store/workspace.ts';

const SPEC = new URL('../../../../../shared/spec/auditlogs/', import.meta.url);
const available = existsSync(SPEC);
if (!available) console.info('Conformance of log tables skipped: no specification data beside the project.');

const read = (path: string) => JSON.parse(readFileSync(new URL(path, SPEC), 'utf8'));

describe.skipIf(!available)('The published tables', () => {
  test.each(TABLE_NAMES)('%s has the columns of its reference page, and when each row was received', (table) => {
    const { columns } = read(`tables/${table}.json`) as { columns: { name: string; type: string }[] };
    const expected = columns.map(({ name, type }) => ({ name, type: typeNamed(type) }));
    expect(publishedColumns(table)).toEqual([...expected, { name: '_TimeReceived', type: 'datetime' }]);
  });

  test('are those that speak of Managed HSMs', () => {
    const known = readdirSync(new URL('tables/', SPEC)).map((file) => file.replace('.json', ''));
    expect(known).toEqual(expect.arrayContaining([...TABLE_NAMES]));
  });
});

describe.skipIf(!available)('The documented queries', () => {
  const { queries } = available
    ? (read('documented-queries.json') as { queries: { path: string; query: string }[] })
    : { queries: [] };
  const { response } = available ? read('azure-diagnostics-rows.derived.json') : { response: undefined };
  // Every column that the queries name has been used by some row.
  const used = ['tlsVersion_s', 'properties_s', 'Region_s'];

  const clock = createClock(() => Date.parse('2024-04-20T00:00:00Z'));
  const store = createLogStore({ clock });
  if (response) {
    const { columns, rows } = response.tables[0] as { columns: { name: string }[]; rows: unknown[][] };
    for (const cells of rows) {
      const row = Object.fromEntries(columns.map(({ name }, index) => [name, cells[index] ?? undefined]));
      const tls = Object.fromEntries(used.map((name) => [name, name === 'tlsVersion_s' ? 'TLS1_1' : '']));
      store.inject('AzureDiagnostics', { ...row, ...tls }, { delayMs: 0 });
    }
  }
  const tables = createWorkspace({ id: 'w', clock, store }).tables({});
  const ask = (query: string) => executeQuery(query, { tables, now: clock.now() });

  test.each(queries.map(({ query }, index) => [index, query] as const))('%i runs', (_index, query) => {
    expect(
      checkQuery(query, publishedTables({ AzureDiagnostics: used })).filter(({ severity }) => severity === 'error'),
    ).toEqual([]);
    expect(() => ask(query)).not.toThrow();
  });

  test('find what the documented rows hold', () => {
    const everything = queries.map(({ query }) => ask(query).rows.length);
    expect(
      ask('AzureDiagnostics | where ResourceType == "MANAGEDHSMS" | project OperationName, httpStatusCode_d').rows,
    ).toEqual([['BackupCreate', 202]]);
    const callers = queries.findIndex(
      ({ query }) => query.includes('MANAGEDHSMS') && query.includes('by CallerIPAddress'),
    );
    expect(ask(queries[callers]?.query ?? '').rows).toEqual([['X.X.X.X', 1]]);
    expect(everything.some((count) => count > 1)).toBe(true);
  });
});

describe('A table', () => {
  test('of diagnostics takes further columns by their suffix, and no others', () => {
    const columns = columnsOfTable('AzureDiagnostics', new Set(['made_up_s', 'made_up_d', 'made_up', 'id_s']), false);
    const types = new Map(columns.map(({ name, type }) => [name, type]));
    expect([types.get('made_up_s'), types.get('made_up_d'), types.get('made_up'), types.get('id_s')]).toEqual([
      ...['string', 'real', undefined, 'string'],
    ]);
    expect(types.has('clientInfo_s')).toBe(false);
    expect(types.get('OperationName')).toBe('string');
  });
});
