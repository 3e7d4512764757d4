import { MEMORY_LIMITS, type SeriesMemory } from './memory.ts';

const HOURS = MEMORY_LIMITS.days * 24;

export const newSeries = (start: number): SeriesMemory => ({
  start,
  counts: [],
  centres: Array<number>(48).fill(-1),
  moved: Array<number>(48).fill(0),
  drift: 0,
  z: 0,
});

export function fillTo(series: SeriesMemory, hour: number): SeriesMemory {
  const missing = hour - endOf(series);
  if (missing <= 0) return series;
  if (missing >= HOURS) return { ...newSeries(hour - HOURS), counts: Array<number>(HOURS).fill(0) };
  const counts = [...series.counts, ...Array<number>(missing).fill(0)].slice(-HOURS);
  return { ...series, counts, start: hour - counts.length, drift: 0 };
}

export const endOf = ({ start, counts }: SeriesMemory): number => start + counts.length;

export function push({ counts }: SeriesMemory, count: number): number[] {
  const longer = counts.length < HOURS ? counts.slice() : counts.slice(1);
  longer.push(count);
  return longer;
}

export const startOf = ({ start, counts }: SeriesMemory): number => (counts.length < HOURS ? start : start + 1);

/** Room for so many series; those that were quiet longest go first. */
export function bounded(series: Record<string, SeriesMemory>): Record<string, SeriesMemory> {
  const all = Object.entries(series);
  if (all.length <= MEMORY_LIMITS.series) return series;
  // Long-known series are worth more than what a flood of new names brought this hour.
  const sorted = all.sort(
    ([a, x], [b, y]) => y.counts.length - x.counts.length || endOf(y) - endOf(x) || (a < b ? -1 : 1),
  );
  return Object.fromEntries(sorted.slice(0, MEMORY_LIMITS.series));
}
