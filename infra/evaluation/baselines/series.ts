import { HOUR, MINUTE } from '../../traffic/calendar.ts';
import type { Strand, TrafficCall } from '../../traffic/call.ts';
import type { Site } from '../../traffic/site.ts';

/** An hour is judged when it is closed, with what has arrived by then; a baseline gets the same rows as we do. */
export const CLOSES_AFTER = HOUR + 15 * MINUTE;

export interface Series {
  name: string;
  key: string;
  caller: TrafficCall['caller'];
  /** Successful crypto calls, hour by hour from the start of the history. */
  counts: Float64Array;
}

const CRYPTO = /\/(wrapkey|unwrapkey|encrypt|decrypt|sign)$/;

export function hourlySeries(site: Site, strand: Strand): Map<string, Series> {
  const hours = (site.to - site.from) / HOUR;
  const series = new Map<string, Series>();
  for (const call of strand.calls) {
    if (call.status >= 400 || !CRYPTO.test(call.path)) continue;
    const hour = Math.floor((call.at - site.from) / HOUR);
    if (hour >= hours || call.arrived > site.from + hour * HOUR + CLOSES_AFTER) continue;
    const name = `${call.key} ${call.caller.oid}`;
    const known = series.get(name) ?? { name, key: call.key, caller: call.caller, counts: new Float64Array(hours) };
    series.set(name, known);
    known.counts[hour] = (known.counts[hour] ?? 0) + call.count + call.repeated;
  }
  return series;
}

/**
 * The context that volume baselines can use, given to them as it is to us: a failover of SQL opens as many databases as the
 * server has, once in 24 hours, and the last day of a month may be busier. Returns what is left to be judged.
 */
export function createAllowances(site: Site) {
  const databases = new Map(site.sql.map((each) => [each.caller.oid, each.databases]));
  const used = new Map<string, number>();
  return ({ name, caller }: Series, hour: number, count: number, usual: number): number => {
    const at = site.from + hour * HOUR;
    const busier = site.calendar.isMonthEnd(at) ? count / site.parameters.batch.monthEnd : count;
    const allowed = databases.get(caller.oid);
    if (
      allowed === undefined ||
      count < usual + allowed / 2 ||
      (used.get(name) ?? Number.NEGATIVE_INFINITY) > hour - 24
    )
      return busier;
    used.set(name, hour);
    return Math.max(0, busier - allowed);
  };
}
