import type { Arrivals } from '../../shared/detection/audit-call.ts';
import { MINUTE } from '../traffic/calendar.ts';
import type { TrafficCall } from '../traffic/call.ts';

export const QUARTER = 15 * MINUTE;

interface Quarter {
  rows: number;
  lastEvent: number;
  lastArrival: number;
  canary: number;
  lags: [seconds: number, rows: number][];
  told?: Arrivals | undefined;
}

/** What has arrived of each quarter of an hour of event time. */
export function createArrivals(hsm: string, canary: { oid: string; path: RegExp }) {
  const quarters = new Map<number, Quarter>();
  return {
    add(call: TrafficCall): void {
      for (const { start, count, repeated, last } of quartersOf(call)) {
        const empty = { rows: 0, lastEvent: 0, lastArrival: 0, canary: 0, lags: [] };
        const quarter: Quarter = quarters.get(start) ?? empty;
        quarters.set(start, quarter);
        const rows = count + repeated;
        quarter.rows += rows;
        quarter.lastEvent = Math.max(quarter.lastEvent, last);
        quarter.lastArrival = Math.max(quarter.lastArrival, call.arrived);
        if (call.caller.oid === canary.oid && canary.path.test(call.path)) quarter.canary += rows;
        quarter.lags.push([Math.round((call.arrived - call.at - call.span / 2) / 1000), rows]);
        quarter.told = undefined;
      }
    },
    /** Quarters with rows that begin from `from` on, oldest first. */
    since(from: number): Arrivals[] {
      const found: Arrivals[] = [];
      for (const [start, quarter] of quarters) {
        if (start < from - 48 * 4 * QUARTER) quarters.delete(start);
        if (start < from) continue;
        quarter.told ??= told(hsm, start, quarter);
        found.push(quarter.told);
      }
      return found.sort((left, right) => (left.quarter < right.quarter ? -1 : 1));
    },
  };
}

/** A call that was counted over ten minutes, parted where a quarter begins: its rows lie evenly, repeats are of the first. */
export function quartersOf({ at, span, count, repeated }: TrafficCall) {
  const start = at - (at % QUARTER);
  const next = start + QUARTER;
  if (at + span < next) return [{ start, count, repeated, last: at + span }];
  const step = span / (count - 1);
  const before = Math.ceil((next - 0.5 - at) / step);
  const twice = Math.min(repeated, before);
  return [
    { start, count: before, repeated: twice, last: Math.round(at + (before - 1) * step) },
    { start: next, count: count - before, repeated: repeated - twice, last: at + span },
  ];
}

function told(hsm: string, start: number, { rows, lastEvent, lastArrival, canary, lags }: Quarter): Arrivals {
  const sorted = lags.toSorted(([left], [right]) => left - right);
  const quantile = (share: number) => {
    let seen = 0;
    for (const [seconds, count] of sorted) {
      seen += count;
      if (seen >= rows * share) return seconds;
    }
    return 0;
  };
  return {
    hsm,
    quarter: new Date(start).toISOString(),
    rows,
    lastEvent: new Date(lastEvent).toISOString(),
    lastArrival: new Date(lastArrival).toISOString(),
    canary,
    lag: { p50: quantile(0.5), p99: quantile(0.99) },
  };
}
