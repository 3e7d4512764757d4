import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { executeQuery, type QueryTable } from '../../../../infra/local/log-store/kql/execute.ts';
import { createLogStore } from '../../../../infra/local/log-store/store.ts';
import { createWorkspace } from '../../../../infra/local/log-store/workspace.ts';

const NOON = Date.parse('2026-11-22T12:00:00Z');
const MINUTE = 60_000;
const clock = { now: () => new Date(NOON) } as Parameters<typeof createLogStore>[0]['clock'];
const at = (minutes: number) => new Date(NOON + minutes * MINUTE);
const instant = (minutes: number) => `datetime(${at(minutes).toISOString()})`;

/** Counts how many rows of a table are read, and whether ranges reach it. */
function read(tables: QueryTable[], ranges: boolean): { tables: QueryTable[]; rows(): number } {
  let rows = 0;
  type Of = ReturnType<QueryTable['relation']>;
  const watched = (relation: Of): Of => ({
    ...relation,
    rows: () => {
      const made = relation.rows();
      rows += made.length;
      return made;
    },
    within: (place, range) => {
      const fewer = ranges ? relation.within?.(place, range) : undefined;
      return fewer && watched(fewer);
    },
  });
  return {
    tables: tables.map(({ schema, relation }) => ({ schema, relation: () => watched(relation()) })),
    rows: () => rows,
  };
}

function workspaceOf(rows: readonly { happened: number; late: number; operation: string }[]) {
  const store = createLogStore({ clock });
  for (const [index, { happened, late, operation }] of rows.entries()) {
    const row = { TimeGenerated: at(happened).toISOString(), OperationName: operation, CorrelationId: String(index) };
    store.inject('AZKVAuditLogs', row, { ingestedAt: at(happened + late) });
  }
  return createWorkspace({ id: 'w', clock, store });
}

/** Queries whose ranges are put on the table beneath; the bounds are minutes before noon. */
const QUERIES: [what: string, query: (low: number, high: number) => string][] = [
  [
    'a plain column',
    (low, high) => `AZKVAuditLogs | where TimeGenerated >= ${instant(low)} and TimeGenerated < ${instant(high)}`,
  ],
  ['the other way round', (low) => `AZKVAuditLogs | where ${instant(low)} < TimeGenerated`],
  ['between', (low, high) => `AZKVAuditLogs | where TimeGenerated between (${instant(low)} .. ${instant(high)})`],
  ['a name of a let', (low) => `let from = ${instant(low)}; AZKVAuditLogs | where TimeGenerated > from`],
  ['the instant of ingestion', (low) => `AZKVAuditLogs | where ingestion_time() > ${instant(low)}`],
  [
    'columns under other names, through extend, project, rename and a let',
    (low, high) =>
      `let calls = AZKVAuditLogs | extend Arrived = ingestion_time() | project At = TimeGenerated, Arrived, CorrelationId | project-rename Seen = Arrived; calls | where Seen > ${instant(low)} and At <= ${instant(high)}`,
  ],
  [
    'a union',
    (low) =>
      `union (AZKVAuditLogs | extend Seen = ingestion_time()), (AZKVAuditLogs | project CorrelationId, Seen = TimeGenerated) | where Seen > ${instant(low)} | project CorrelationId, Seen`,
  ],
  [
    'a column that took the name of another',
    (low) => `AZKVAuditLogs | extend TimeGenerated = ingestion_time() | where TimeGenerated > ${instant(low)}`,
  ],
];
/** Queries whose conditions say nothing of a range of the table. */
const OTHERS: [what: string, query: (low: number, high: number) => string][] = [
  ['or', (low, high) => `AZKVAuditLogs | where TimeGenerated < ${instant(low)} or TimeGenerated > ${instant(high)}`],
  ['not', (low) => `AZKVAuditLogs | where not(TimeGenerated < ${instant(low)})`],
  ['not between', (low, high) => `AZKVAuditLogs | where TimeGenerated !between (${instant(low)} .. ${instant(high)})`],
  ['unequal', (low) => `AZKVAuditLogs | where TimeGenerated != ${instant(low)}`],
  [
    'after a computation',
    (low) => `AZKVAuditLogs | extend TimeGenerated = TimeGenerated + 10m | where TimeGenerated > ${instant(low)}`,
  ],
  ['after take', (low) => `AZKVAuditLogs | take 3 | where TimeGenerated > ${instant(low)}`],
  [
    'after summarize',
    (low) =>
      `AZKVAuditLogs | summarize TimeGenerated = max(TimeGenerated) by OperationName | where TimeGenerated > ${instant(low)}`,
  ],
];

const rows = fc.array(
  fc.record({
    happened: fc.integer({ min: -300, max: 5 }),
    late: fc.integer({ min: 0, max: 90 }),
    operation: fc.constantFrom('KeyGet', 'KeySign'),
  }),
  { maxLength: 30 },
);
const minutes = fc.integer({ min: -320, max: 10 });

describe('a range of time changes which rows are read, never the answer', () => {
  test.each([...QUERIES, ...OTHERS])('%s', (_what, query) => {
    fc.assert(
      fc.property(rows, minutes, minutes, (all, low, high) => {
        const workspace = workspaceOf(all);
        const ask = (ranges: boolean) =>
          executeQuery(query(low, high), { tables: read(workspace.tables({}), ranges).tables, now: clock.now() });
        expect(ask(true)).toEqual(ask(false));
      }),
      { numRuns: 50 },
    );
  });
});

test.each(QUERIES)('%s: rows outside of the range are not read', (_what, query) => {
  const hours = Array.from({ length: 48 }, (_, hour) => ({ happened: -60 * hour - 10, late: 1, operation: 'KeyGet' }));
  const { tables, rows: seen } = read(workspaceOf(hours).tables({}), true);
  executeQuery(query(-100, 0), { tables, now: clock.now() });
  expect(seen()).toBeLessThan(10);
});

test('a store that was emptied and filled anew is read anew', () => {
  const store = createLogStore({ clock });
  const workspace = createWorkspace({ id: 'w', clock, store });
  const count = () =>
    executeQuery('AZKVAuditLogs | count', { tables: workspace.tables({}), now: clock.now() }).rows[0]?.[0];
  const fill = (many: number) => {
    for (let row = 0; row < many; row++) store.inject('AZKVAuditLogs', { OperationName: 'KeyGet' }, { delayMs: 0 });
  };
  fill(3);
  expect(count()).toBe(3);
  store.reset();
  fill(4);
  expect(count()).toBe(4);
});

test('rows that an outage held are there once it has ended', () => {
  const store = createLogStore({ clock, ingestionDelayMs: 0 });
  const workspace = createWorkspace({ id: 'w', clock, store });
  const count = () =>
    executeQuery('AzureActivity | count', { tables: workspace.tables({}), now: clock.now() }).rows[0]?.[0];
  store.ingestion({ outage: 'hold' });
  store.addActivity({ OperationNameValue: 'a' });
  expect(count()).toBe(0);
  store.ingestion({ outage: 'none' });
  store.addActivity({ OperationNameValue: 'b' });
  expect(count()).toBe(2);
});
