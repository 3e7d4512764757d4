import type { QuarterHits, ServiceMetrics } from '../../ports/service-metrics.ts';
import { type ArmOptions, createArm } from './arm.ts';

/** https://learn.microsoft.com/rest/api/monitor/metrics/list */
const API_VERSION = '2023-10-01';
/** Reads whatever there is of a resource, its metrics too. https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/general */
const ROLE = 'Reader';
/** https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-keyvault-managedhsms-metrics */
const METRIC = 'ServiceApiHit';
const NAMESPACE = 'Microsoft.KeyVault/managedHSMs';
const QUARTER_MS = 900_000;

interface WireMetrics {
  value?: {
    timeseries?: { data?: { timeStamp?: string; count?: number | null; total?: number | null }[] }[];
  }[];
}

/** Platform metrics through Azure Resource Manager, acting as one identity. */
export function createServiceMetrics(options: ArmOptions): ServiceMetrics {
  const { send } = createArm(options, ROLE);
  return {
    async serviceHits(resourceId, from, to) {
      const query = new URLSearchParams({
        'api-version': API_VERSION,
        metricnames: METRIC,
        metricnamespace: NAMESPACE,
        // No dimension is asked for, so all calls of all kinds are one series.
        timespan: `${from}/${to}`,
        interval: 'PT15M',
        // The metric is a count; which of the two words the service answers with is not documented for a Managed HSM.
        aggregation: 'Count,Total',
      });
      const url = `${options.armUrl}${resourceId}/providers/Microsoft.Insights/metrics?${query}`;
      const { value = [] } = ((await send(`read the calls counted of ${resourceId}`, 'GET', url, API_VERSION)) ??
        {}) as WireMetrics;
      return byQuarter(value.flatMap(({ timeseries = [] }) => timeseries.flatMap(({ data = [] }) => data)));
    },
  };
}

type Point = { timeStamp?: string; count?: number | null; total?: number | null };

/** A point without a number is a time without calls. */
function byQuarter(points: readonly Point[]): QuarterHits[] {
  const hits = new Map<number, number>();
  for (const { timeStamp, count, total } of points) {
    const at = Date.parse(timeStamp ?? '');
    if (Number.isNaN(at)) continue;
    const quarter = at - (at % QUARTER_MS);
    hits.set(quarter, (hits.get(quarter) ?? 0) + (count ?? total ?? 0));
  }
  return [...hits]
    .sort(([left], [right]) => left - right)
    .map(([quarter, sum]) => ({ quarter: new Date(quarter).toISOString(), hits: sum }));
}
