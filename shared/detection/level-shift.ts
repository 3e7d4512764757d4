import type { LevelMemory } from './memory.ts';
import { median, scaledMad } from './statistics.ts';

/** One hour of a busy series: ln of its count over the usual, clipped, so that a rush of an hour or two moves no level. */
export interface LevelHour {
  hour: number;
  /** Calendar day. */
  day: number;
  value: number;
}

export interface Shift {
  /** How far the hours since `from` stand above those before, in standard deviations. */
  score: number;
  from: number;
  /** Times the usual. */
  ratio: number;
}

const CLIP = 0.7;
/** Hours of which the last are kept: the steps that are looked for began within two days, and need the day before. */
const KEPT = 72;
const STEPS = 48;
/** A step of fewer hours is a rush, which other rules judge. */
const LEAST = 12;
/** Days that must be known before their scatter is. */
const LEAST_DAYS = 10;
const MOST_DAYS = 28;

export const newLevel = (): LevelMemory => ({ hours: [], days: [], above: false });

/** The level after one more hour; a day is closed by the first hour of the next. */
export function withLevel(
  { hours, days }: LevelMemory,
  hour: number,
  day: number,
  ratio: number,
): Omit<LevelMemory, 'above'> {
  const value = Math.max(-CLIP, Math.min(CLIP, Math.log(ratio)));
  const last = hours.at(-1)?.day;
  const closed = last === undefined || last === day ? undefined : dayOf(hours.filter((each) => each.day === last));
  return {
    hours: [...hours.filter((each) => hour - each.hour < KEPT), { hour, day, value }],
    days: closed === undefined ? days : [...days, closed].slice(-MOST_DAYS),
  };
}

/** Mean of a day, variance of its hours, and how its second half parts from its first. */
function dayOf(hours: readonly LevelHour[]): LevelMemory['days'][number] {
  const values = hours.map(({ value }) => value);
  const mean = meanOf(values);
  const half = values.length >> 1;
  return {
    mean,
    variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1),
    halves: half === 0 ? 0 : meanOf(values.slice(half)) - meanOf(values.slice(0, half)),
    hours: values.length,
  };
}

/**
 * The strongest step up to a higher level within the last two days. Days of people differ as wholes, so the hours of a day
 * have an error in common; within a day it is the same before and after the step, and drops out. Generalised least squares
 * of a step, against the scatter of the days and of the hours of this very series.
 */
export function shiftOf({ hours, days }: Omit<LevelMemory, 'above'>): Shift | undefined {
  if (days.length < LEAST_DAYS || hours.length < LEAST) return undefined;
  const level = median(days.map(({ mean }) => mean));
  const scatter = scatterOf(days);
  const byDay = new Map<number, LevelHour[]>();
  for (const hour of hours) byDay.set(hour.day, [...(byDay.get(hour.day) ?? []), hour]);
  const newest = hours.at(-1)?.hour ?? 0;
  let best: Shift | undefined;
  for (const [index, { hour: from }] of hours.entries()) {
    if (newest - from >= STEPS || hours.length - index < LEAST) continue;
    const { score, effect } = stepAt([...byDay.values()], from, level, scatter);
    if (best === undefined || score > best.score) best = { score, from, ratio: Math.exp(effect) };
  }
  return best;
}

interface Scatter {
  /** Variance that the hours of a day have in common, and of each hour. */
  between: number;
  within: number;
}

/**
 * Hours that follow one another are alike, so half a day may scatter more than its hours would: the larger counts. Of so few
 * days a scatter is uncertain, and the largest of many scores finds the series whose scatter came out too small. So it uses
 * all days, each as far as three deviations, and leans on what is common.
 */
function scatterOf(days: LevelMemory['days']): Scatter {
  const hours = median(days.map((each) => each.hours));
  const plain = median(days.map(({ variance }) => variance));
  const ofHalves =
    variance(
      days.map((each) => each.halves),
      0,
    ) *
    (hours / 4);
  const within = Math.max(LEAST_VARIANCE, plain, leaning(ofHalves, days.length, plain, HALVES_LEAN));
  const means = days.map(({ mean }) => mean);
  const between = Math.max(0, variance(means, median(means)) - within / hours);
  return { within, between: leaning(between, days.length, COMMON_BETWEEN, BETWEEN_LEAN) };
}

const LEAST_VARIANCE = 0.0025;
/** Days of people differ by a tenth at least, which counts like so many days of the series' own. */
const COMMON_BETWEEN = 0.01;
const BETWEEN_LEAN = 5;
const HALVES_LEAN = 10;

const leaning = (own: number, days: number, common: number, weight: number): number =>
  (days * own + weight * common) / (days + weight);

/** About a centre, of values as far as three robust deviations from it. */
function variance(values: readonly number[], centre: number): number {
  const most = 3 * scaledMad(values, centre);
  const squares = values.reduce((sum, value) => sum + Math.min(most, Math.abs(value - centre)) ** 2, 0);
  return squares / (values.length - 1);
}

function stepAt(days: readonly LevelHour[][], from: number, level: number, { between, within }: Scatter) {
  let weighted = 0;
  let information = 0;
  for (const hours of days) {
    const after = hours.filter(({ hour }) => hour >= from);
    if (after.length === 0) continue;
    const shared = between / (within + hours.length * between);
    const sum = (part: readonly LevelHour[]) => part.reduce((total, { value }) => total + value - level, 0);
    weighted += (sum(after) - shared * after.length * sum(hours)) / within;
    information += (after.length - shared * after.length ** 2) / within;
  }
  return { score: weighted / Math.sqrt(information), effect: weighted / information };
}

const meanOf = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
