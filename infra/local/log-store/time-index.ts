import type { Range } from './kql/relation.ts';

/** Something that happened and was seen later, both in ticks. */
export interface Timed {
  generated: number;
  ingested: number;
}

/** Which of them are asked for; ends count in. */
export interface Window {
  generated: Range;
  ingested: Range;
}

export interface TimeIndex<Entry extends Timed> {
  add(entry: Entry): void;
  /** Those of a window, in the order in which they were added. */
  within(window: Window): Entry[];
  clear(): void;
}

export const ALWAYS: Range = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/** What lies in both. */
export const narrowest = (one: Range, other: Range): Range => ({
  low: Math.max(one.low, other.low),
  high: Math.min(one.high, other.high),
});

const TICKS_PER_HOUR = 36_000_000_000;
const hourOf = (ticks: number): number => Math.floor(ticks / TICKS_PER_HOUR);

interface Numbered<Entry> {
  order: number;
  entry: Entry;
}
type Hours<Entry> = Map<number, Numbered<Entry>[]>;

/**
 * Keeps entries by the hour in which they happened and by the hour in which they were seen, so that a window of either costs what
 * lies in it and not what was ever added.
 */
export function createTimeIndex<Entry extends Timed>(): TimeIndex<Entry> {
  const byGenerated: Hours<Entry> = new Map();
  const byIngested: Hours<Entry> = new Map();
  let added = 0;

  const put = (hours: Hours<Entry>, ticks: number, numbered: Numbered<Entry>) => {
    const known = hours.get(hourOf(ticks));
    if (known) known.push(numbered);
    else hours.set(hourOf(ticks), [numbered]);
  };

  return {
    add(entry) {
      const numbered = { order: added++, entry };
      put(byGenerated, entry.generated, numbered);
      put(byIngested, entry.ingested, numbered);
    },
    within({ generated, ingested }) {
      const [happened, seen] = [hoursWithin(byGenerated, generated), hoursWithin(byIngested, ingested)];
      const found: Numbered<Entry>[] = [];
      for (const hour of sizeOf(happened) <= sizeOf(seen) ? happened : seen) {
        for (const one of hour) {
          if (lies(one.entry.generated, generated) && lies(one.entry.ingested, ingested)) found.push(one);
        }
      }
      return found.sort((left, right) => left.order - right.order).map(({ entry }) => entry);
    },
    clear() {
      byGenerated.clear();
      byIngested.clear();
      added = 0;
    },
  };
}

const lies = (ticks: number, { low, high }: Range): boolean => ticks >= low && ticks <= high;

function hoursWithin<Entry>(hours: Hours<Entry>, { low, high }: Range): Numbered<Entry>[][] {
  const [first, last] = [hourOf(low), hourOf(high)];
  const found: Numbered<Entry>[][] = [];
  for (const [hour, entries] of hours) if (hour >= first && hour <= last) found.push(entries);
  return found;
}

const sizeOf = (hours: readonly (readonly unknown[])[]): number => hours.reduce((sum, { length }) => sum + length, 0);
