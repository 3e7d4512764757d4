import type { Fleet } from '../hsm-fleet.ts';
import type { Answer, Request } from '../http.ts';
import type { StoredRow } from '../log-store/store.ts';
import { ArmError } from './arm.ts';

const MINUTE_MS = 60_000;
/** https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-keyvault-managedhsms-metrics */
const NAMESPACE = 'Microsoft.KeyVault/managedHSMs';
const HIT_METRIC = 'ServiceApiHit';

/** The platform's own count of calls by minute: no outage of the log and no diagnostic setting touches it. */
export interface CallMetric {
  count(hsm: string, at: string): void;
  /** A row that a test put into the log stands for a call, too. */
  countRow(row: StoredRow): void;
  /** Calls by steps of `stepMs` from `from` on, up to `to`. */
  hits(hsm: string, from: number, to: number, stepMs: number): { at: number; hits: number }[];
  reset(): void;
}

const AUDIT_TABLES: readonly string[] = ['AZKVAuditLogs', 'AzureDiagnostics'];

export function createCallMetric(): CallMetric {
  const hsms = new Map<string, Map<number, number>>();
  const count = (hsm: string, at: string) => {
    const minute = Math.floor(Date.parse(at) / MINUTE_MS);
    if (Number.isNaN(minute)) return;
    const minutes = hsms.get(hsm.toLowerCase()) ?? new Map<number, number>();
    hsms.set(hsm.toLowerCase(), minutes);
    minutes.set(minute, (minutes.get(minute) ?? 0) + 1);
  };
  return {
    count,
    countRow(stored) {
      if (stored.kind !== 'injected' || !AUDIT_TABLES.includes(stored.table)) return;
      const { row, generatedAt } = stored;
      const [, hsm] = /\/managedhsms\/([^/]+)$/i.exec(String(row._ResourceId ?? row.ResourceId ?? '')) ?? [];
      if (hsm !== undefined) count(hsm, generatedAt);
    },
    hits(hsm, from, to, stepMs) {
      const minutes = hsms.get(hsm.toLowerCase()) ?? new Map<number, number>();
      const found = [];
      for (let at = from; at < to; at += stepMs) {
        let sum = 0;
        for (let minute = at; minute < Math.min(at + stepMs, to); minute += MINUTE_MS)
          sum += minutes.get(Math.floor(minute / MINUTE_MS)) ?? 0;
        found.push({ at, hits: sum });
      }
      return found;
    },
    reset: () => hsms.clear(),
  };
}

const STEPS: Record<string, number> = {
  PT1M: 1,
  PT5M: 5,
  PT15M: 15,
  PT30M: 30,
  PT1H: 60,
  PT6H: 360,
  PT12H: 720,
  P1D: 1440,
};

const METRICS = /\/managedHSMs\/(?<hsm>[^/]+)\/providers\/Microsoft\.Insights\/metrics$/i;

/** `GET …/providers/Microsoft.Insights/metrics` of an HSM; undefined: the request is about something else. */
export function answerMetrics(
  { method, path, url }: Request,
  { hsms }: Fleet,
  metric: CallMetric,
  now: number,
): Answer | undefined {
  const name = METRICS.exec(path)?.groups?.hsm;
  if (name === undefined || method !== 'GET') return undefined;
  const hsm = hsms.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (!hsm) throw new ArmError(404, 'ResourceNotFound', `The resource ${path} was not found.`);
  const query = url.searchParams;
  const metrics = query.get('metricnames');
  if (metrics !== HIT_METRIC) {
    throw new ArmError(
      400,
      'BadRequest',
      `Failed to find metric configuration for ${metrics}: the estate has ${HIT_METRIC}.`,
    );
  }
  const [from = Number.NaN, to = Number.NaN] = (query.get('timespan') ?? '').split('/').map((each) => Date.parse(each));
  if (!(from < to)) throw new ArmError(400, 'BadRequest', 'timespan is start/end, two instants.');
  const interval = query.get('interval') ?? 'PT1M';
  const minutes = STEPS[interval];
  if (minutes === undefined) {
    throw new ArmError(400, 'BadRequest', `interval ${interval} is none of ${Object.keys(STEPS).join(', ')}.`);
  }
  const step = minutes * MINUTE_MS;
  const data = metric.hits(hsm.name, from - (from % step), Math.min(to, now), step).map(({ at, hits }) => ({
    timeStamp: new Date(at).toISOString(),
    // A step without calls has no value.
    ...(hits === 0 ? {} : { count: hits }),
  }));
  return {
    status: 200,
    body: {
      cost: 0,
      timespan: `${new Date(from).toISOString()}/${new Date(to).toISOString()}`,
      interval,
      value: [
        {
          id: `${hsm.resourceId}/providers/Microsoft.Insights/metrics/${HIT_METRIC}`,
          type: 'Microsoft.Insights/metrics',
          name: { value: HIT_METRIC, localizedValue: 'Total Service Api Hits' },
          unit: 'Count',
          timeseries: [{ metadatavalues: [], data }],
          errorCode: 'Success',
        },
      ],
      namespace: NAMESPACE,
    },
  };
}
