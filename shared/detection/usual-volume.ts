import type { CalendarHour } from './calendar-hours.ts';
import type { SeriesMemory } from './memory.ts';
import type { DetectionRule } from './rule.ts';
import { anscombe, inverseAnscombe, median, scaledMad } from './statistics.ts';

/** Fewer points than these of one hour and day type say nothing. */
const LEAST_POINTS = 4;
/** A median moves by so much of itself a day, so that a slow ramp cannot teach itself in. */
const MOVE = 0.2;

export interface Usual {
  /** All on the stabilised scale: the largest median of the hour and its neighbours, its scale, and the hour's own. */
  centre: number;
  /** The same before the calendar's factor. */
  unscaled: number;
  scale: number;
  own: number;
  ownScale: number;
  /** Of plain counts, of the hour itself. */
  mean: number;
  factor: number;
  slot: number;
}

/** What the same hour and its neighbours were on days of the same type, up to 28 days back. */
export function usualAt(
  series: SeriesMemory,
  hour: number,
  rule: DetectionRule,
  { slot, factor, alike }: CalendarHour,
): Usual | undefined {
  const samples = alike.map((back, index) => sampleOf(series, hour + index - 1, back));
  const own = samples[1] ?? [];
  if (own.length < LEAST_POINTS) return undefined;
  const known = samples.filter((sample) => sample.length >= LEAST_POINTS).map((sample) => sample.map(anscombe));
  const medians = known.map((sample) => median(sample));
  const stable = own.map(anscombe);
  const wide = series.counts.length / 24 < rule.learning.volumeDays ? 1.5 : 1;
  // One scale of the three hours together: of twenty days each it is uncertain by a quarter, and the largest is too large.
  const residuals = known.flatMap((sample, index) => sample.map((value) => value - (medians[index] ?? 0)));
  const scale = wide * Math.max(1, scaledMad(residuals, 0));
  const unscaled = held(series, slot, Math.floor(hour / 24), Math.max(...medians));
  const stretch = (value: number) => (factor === 1 ? value : anscombe(inverseAnscombe(value) * factor));
  const ownCentre = Math.min(median(stable), unscaled);
  return {
    centre: stretch(unscaled),
    unscaled,
    scale,
    own: stretch(ownCentre),
    ownScale: wide * Math.max(1, scaledMad(stable)),
    mean: own.reduce((sum, count) => sum + count, 0) / own.length,
    factor,
    slot,
  };
}

/** Counts so many hours before. */
function sampleOf({ counts, start }: SeriesMemory, hour: number, hoursBack: readonly number[]): number[] {
  const sample: number[] = [];
  for (const back of hoursBack) {
    const index = hour - back - start;
    if (index < 0) break;
    const count = counts[index];
    if (count !== undefined) sample.push(count);
  }
  return sample;
}

/** The median, no further from the one before than a fifth a day. */
function held(series: SeriesMemory, slot: number, day: number, computed: number): number {
  const before = series.centres[slot] ?? -1;
  if (before < 0) return computed;
  const days = Math.max(1, day - (series.moved[slot] ?? day));
  const most = (before + 2) * (1 + MOVE * days);
  const least = Math.max(0, before - 2) * Math.max(0, 1 - MOVE * days);
  return anscombe(Math.max(least, Math.min(most, inverseAnscombe(computed))));
}
