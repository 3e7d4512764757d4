import { type LogMemory, MEMORY_LIMITS } from './memory.ts';
import type { Scene } from './scene.ts';
import { ewma } from './statistics.ts';
import { dayOf } from './time-bins.ts';

/** How the log arrives: its newest row, its delay, its usual pauses, and its rows per call that the metric counted. */
export function learnLog({ memory, facts, calls }: Scene): LogMemory {
  const before = memory.log;
  const quarters = facts.arrivals.filter(({ rows }) => rows > 0).toSorted((a, b) => (a.quarter < b.quarter ? -1 : 1));
  const canaries = quarters.filter(({ canary }) => canary > 0).map(({ lastEvent }) => lastEvent);
  const lastRow = latest([before.lastRow, ...quarters.map(({ lastEvent }) => lastEvent), calls.at(-1)?.last]);
  const lastCanary = latest([before.lastCanary, ...canaries]);
  // A day of quarters is the horizon; one delayed hour must not silence the watch for long.
  const lag = quarters.reduce((mean, quarter) => ewma(mean, Math.min(quarter.lag.p99, 3600), 0.02), before.lag);
  return {
    ...(lastRow === undefined ? {} : { lastRow }),
    ...(lastCanary === undefined ? {} : { lastCanary }),
    lag,
    ratios: learnRatios(before, facts),
    pauses: learnPauses(before, lastRow),
  };
}

/** Rows per call that the metric counted, of quarters that are over for an hour. */
function learnRatios(before: LogMemory, { arrivals, serviceHits, now }: Scene['facts']): number[] {
  const old = new Date(Date.parse(now) - 3_600_000).toISOString();
  const rows = new Map(arrivals.map((quarter) => [Date.parse(quarter.quarter), quarter.rows]));
  const ratios = (serviceHits ?? [])
    .filter(({ quarter, hits }) => hits >= 20 && quarter <= old)
    .flatMap(({ quarter, hits }) => {
      const counted = rows.get(Date.parse(quarter));
      return counted === undefined || counted === 0 ? [] : [counted / hits];
    });
  return [...before.ratios, ...ratios].slice(-MEMORY_LIMITS.ratios);
}

function learnPauses(before: LogMemory, lastRow: string | undefined): LogMemory['pauses'] {
  if (before.lastRow === undefined || lastRow === undefined || lastRow <= before.lastRow) return before.pauses;
  const day = dayOf(Date.parse(lastRow));
  const minutes = (Date.parse(lastRow) - Date.parse(before.lastRow)) / 60_000;
  const newest = before.pauses.at(-1);
  if (newest?.day !== day) return [...before.pauses, { day, minutes }].slice(-MEMORY_LIMITS.days);
  return minutes <= newest.minutes ? before.pauses : [...before.pauses.slice(0, -1), { day, minutes }];
}

const latest = (instants: (string | undefined)[]): string | undefined =>
  instants.reduce((newest, each) => (each !== undefined && (newest === undefined || each > newest) ? each : newest));
