import { describe, expect, test } from 'vitest';
import { createArrivals, QUARTER } from '../../../infra/evaluation/arrivals.ts';
import { groupCalls } from '../../../infra/evaluation/groups.ts';
import { createHourSums } from '../../../infra/evaluation/volumes.ts';
import { executeQuery } from '../../../infra/local/log-store/kql/execute.ts';
import { createLogStore } from '../../../infra/local/log-store/store.ts';
import { createWorkspace } from '../../../infra/local/log-store/workspace.ts';
import { DAY, HOUR } from '../../../infra/traffic/calendar.ts';
import { generateTraffic, mixed } from '../../../infra/traffic/generate.ts';
import { DEFAULTS } from '../../../infra/traffic/parameters.ts';
import { rowsOf, type TableName } from '../../../infra/traffic/rows.ts';
import { readArrivals, readGroups, readVolume } from '../../../shared/adapters/azure/audit-rows.ts';
import type { CallGroup } from '../../../shared/detection/audit-call.ts';
import { buildQuery, type QueryName } from '../../../shared/detection/queries/build-query.ts';
import type { KqlValue } from '../../../shared/detection/queries/literal.ts';

/** A quiet HSM, so that its single rows fit into a test; spray, deletions and a sweep of backups lie among them. */
const parameters = {
  ...DEFAULTS,
  ...{
    historyWeeks: 1,
    weeks: 1,
    application: { ...DEFAULTS.application, peak: [60, 90] as [number, number], night: 6 },
  },
};
const traffic = generateTraffic(4, 0, { parameters, only: ['S5', 'S11', 'S15'] });
const { site } = traffic;
const strand = mixed(traffic, traffic.attacked);
const spray = traffic.attacked.labels.find(({ id }) => id === 'S15')?.from ?? site.judged;
/** Whole hours around the spray. */
const from = spray - (spray % HOUR) - HOUR;
const to = from + 4 * HOUR;
const calls = strand.calls.filter(({ at }) => at >= from && at < to);
const resource = String(rowsOf(site, calls[0] as (typeof calls)[number], 'AZKVAuditLogs')[0]?.row._ResourceId);

function workspaceOf(table: TableName) {
  const clock = { now: () => new Date(to + DAY) } as Parameters<typeof createLogStore>[0]['clock'];
  const store = createLogStore({ clock });
  for (const call of calls) {
    for (const { row, arrived } of rowsOf(site, call, table))
      store.inject(table, row, { ingestedAt: new Date(arrived) });
  }
  const workspace = createWorkspace({ id: 'w', clock, store });
  return (name: QueryName, values: Record<string, KqlValue>) => {
    const common = { hsmName: site.hsm, hsmResource: resource, oldest: new Date(from - DAY), most: 5000 };
    const query = buildQuery(name, [table], { ...common, ...values });
    const { columns, rows } = executeQuery(query, { tables: workspace.tables({}), now: clock.now() });
    return rows.map((cells) =>
      Object.fromEntries(columns.map((column, index) => [column.name, dynamic(cells[index])])),
    );
  };
}

/** A dynamic cell crosses the wire as its JSON text. */
const dynamic = (cell: unknown) => (typeof cell === 'string' && cell.startsWith('[') ? JSON.parse(cell) : cell);

/** What a detector looks at, without the sample of correlation ids and the client's version. */
const essence = ({ correlationIds: _, userAgent, ...group }: CallGroup) =>
  JSON.stringify(
    Object.entries({ ...group, client: userAgent.split('/')[0] }).sort(([left], [right]) => (left < right ? -1 : 1)),
  );

describe.each(['AZKVAuditLogs', 'AzureDiagnostics'] as const)('over %s', (table) => {
  const ask = workspaceOf(table);

  test('groups are those that the queries give, window by window', { timeout: 120_000 }, () => {
    let seen = 0;
    for (let start = from; start < to + HOUR; start += HOUR) {
      const [after, upTo] = [start - 1, start + HOUR - 1];
      const times = { context: new Date(after - HOUR), after: new Date(after), upTo: new Date(upTo) };
      const window = { ...times, step: { seconds: 600 } };
      const asked = (['sensitiveCalls', 'refusedCalls', 'keyUse'] as const).flatMap(
        (name) => readGroups(site.hsm, ask(name, window)).calls,
      );
      const counted = groupCalls(
        site.hsm,
        calls.filter(({ arrived }) => arrived > after && arrived <= upTo),
      );
      expect(counted.map(essence).sort()).toEqual(asked.map(essence).sort());
      seen += counted.length;
    }
    expect(seen).toBeGreaterThan(100);
  });

  test('hours and arrivals are those that the queries give', () => {
    const sums = createHourSums(site.hsm);
    const canary = { oid: site.own.canary.caller.oid, path: new RegExp(`^/keys/${site.canary}/[0-9a-f]{32}/sign$`) };
    const arrivals = createArrivals(site.hsm, canary);
    for (const call of calls) {
      sums.add(call);
      arrivals.add(call);
    }
    const span = { start: new Date(from), end: new Date(to) };
    const hours = [0, 1, 2, 3].flatMap((hour) => sums.take(from + hour * HOUR));
    const asked = ask('hourVolumes', span).map((record) => readVolume(site.hsm, record));
    const plain = (volumes: typeof hours) =>
      volumes.map((each) => JSON.stringify(each, Object.keys(each).sort())).sort();
    expect(plain(hours)).toEqual(plain(asked));

    const canaryPath = `/keys/${site.canary}/${site.keys.get(site.canary)?.versions[0]?.version}/sign`;
    const told = ask('arrivals', { ...span, canaryPath, canaryOid: canary.oid, canaryApp: 'none' });
    const quarters = told.map((record) => readArrivals(site.hsm, record));
    expect(arrivals.since(from).map(({ lag: _, ...each }) => each)).toEqual(
      quarters.map(({ lag: _, ...each }) => each),
    );
    expect(quarters).toHaveLength((to - from) / QUARTER);
    // A bundle arrives as one, so its rows' delays are taken at its middle.
    for (const [index, { lag }] of quarters.entries())
      expect(Math.abs(lag.p50 - (arrivals.since(from)[index]?.lag.p50 ?? 0))).toBeLessThan(300);
  });
});
