import { executeQuery } from '../../infra/local/log-store/kql/execute.ts';
import { createLogStore } from '../../infra/local/log-store/store.ts';
import { createWorkspace } from '../../infra/local/log-store/workspace.ts';
import { DAY, HOUR, MINUTE } from '../../infra/traffic/calendar.ts';
import { generateTraffic } from '../../infra/traffic/generate.ts';
import { DEFAULTS } from '../../infra/traffic/parameters.ts';
import { rowsOf } from '../../infra/traffic/rows.ts';
import { buildQuery, type QueryName } from '../../shared/detection/queries/build-query.ts';
import type { KqlValue } from '../../shared/detection/queries/literal.ts';
import { median, type Row } from './table.ts';

const SWEEPS = 60;

/** What the queries of one sweep cost the estate's workspace, and whether a longer history makes them dearer. */
export async function logWorkspace(): Promise<Row[]> {
  const short = createBusyWorkspace(1);
  const long = createBusyWorkspace(4);
  const [once, four] = [short.sweeps(), long.sweeps()];
  return [
    [
      'queries of a sweep, over four times the history',
      `${(four.ms / once.ms).toFixed(2)} x`,
      `${once.ms.toFixed(1)} ms over ${once.rows.toLocaleString('en')} rows, ${four.ms.toFixed(1)} ms over ${four.rows.toLocaleString('en')}`,
    ],
  ];
}

function createBusyWorkspace(historyWeeks: number) {
  const parameters = {
    ...DEFAULTS,
    ...{ historyWeeks, weeks: 1 },
    application: { ...DEFAULTS.application, peak: [20, 30] as [number, number], night: 3 },
    batch: { ...DEFAULTS.batch, size: 100, deviation: 5 },
  };
  const { site, clean } = generateTraffic(8, 0, { parameters, only: [] });
  let now = new Date(site.judged);
  const clock = { now: () => now } as Parameters<typeof createLogStore>[0]['clock'];
  const store = createLogStore({ clock });
  let resource = '';
  for (const call of clean.calls) {
    if (!Number.isFinite(call.arrived)) continue;
    for (const { row, arrived } of rowsOf(site, call, 'AZKVAuditLogs')) {
      store.inject('AZKVAuditLogs', row, { ingestedAt: new Date(arrived) });
      resource = String(row._ResourceId);
    }
  }
  const workspace = createWorkspace({ id: 'w', clock, store });
  const ask = (name: QueryName, from: number, to: number, values: Record<string, KqlValue>) => {
    const common = { hsmName: site.hsm, hsmResource: resource, oldest: new Date(from), most: 5000 };
    const tables = workspace.tables({ from: new Date(from), to: new Date(to) });
    const text = buildQuery(name, ['AZKVAuditLogs', 'AzureDiagnostics'], { ...common, ...values });
    return executeQuery(text, { tables, now }).rows.length;
  };
  const sweep = () => {
    const upTo = now.getTime();
    const after = upTo - 10 * MINUTE;
    const times = { context: new Date(after - HOUR), after: new Date(after), upTo: now, step: { seconds: 600 } };
    for (const name of ['sensitiveCalls', 'refusedCalls', 'keyUse'] as const)
      ask(name, after - 2 * DAY, upTo + DAY, times);
    ask('hourVolumes', upTo - HOUR, upTo, { start: new Date(upTo - HOUR), end: now });
    const canary = { canaryPath: '/keys/canary', canaryOid: 'none', canaryApp: 'none' };
    ask('arrivals', upTo - 6 * HOUR, upTo, { start: new Date(upTo - 6 * HOUR), end: now, ...canary });
  };
  return {
    sweeps() {
      const took: number[] = [];
      for (let index = 0; index < SWEEPS; index++) {
        now = new Date(now.getTime() + 5 * MINUTE);
        const startedAt = performance.now();
        sweep();
        took.push(performance.now() - startedAt);
      }
      return { ms: median(took), rows: store.stored.length };
    },
  };
}
