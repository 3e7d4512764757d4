import type { Caller, HourVolume } from './audit-call.ts';
import { type CalendarHour, calendarHours } from './calendar-hours.ts';
import type { DetectionFacts } from './detection-facts.ts';
import { groupBy } from './group-by.ts';
import { type DetectionMemory, MEMORY_LIMITS, type SeriesMemory } from './memory.ts';
import { overlaid } from './overlaid.ts';
import type { DetectionRule } from './rule.ts';
import { anscombe, ewma, inverseAnscombe, logPoissonTail, median, scaledMad } from './statistics.ts';
import { hourOf } from './time-bins.ts';

/** One hour of one caller on one key, against what is usual. */
export interface VolumeReading {
  key: string;
  who: string;
  caller: Caller;
  class: HourVolume['class'];
  hour: number;
  count: number;
  /** Usual count, and robust z against it. Absent: too short a history; `most` of it is all that can be compared. */
  usual?: number;
  z?: number;
  /** z of the hour before, 0 if that was quiet. */
  zBefore: number;
  /** ln of the chance of so many, where the series is sparse. */
  logTail?: number;
  /** Drift that reached the limit, and starts again at nothing. */
  drift?: number;
  /** Largest hour so far. */
  most: number;
  /** Days of history of this series. */
  days: number;
  /** What the hour has too much fits in an allowance that was not used for a day, or is a job that ran before. */
  allowed: boolean;
}

export interface VolumeSettings {
  rule: DetectionRule;
  /** True where the hour belongs to an open incident, and teaches nothing. */
  quarantined(who: string, key: string): boolean;
  /** Operations that the caller may do at once in 24 hours. */
  allowance(who: string): number;
  /** A job of which one earlier run is enough to know it by. */
  isBatch(who: string): boolean;
}

const HOURS = MEMORY_LIMITS.days * 24;
/** Fewer points than these of one hour and day type say nothing. */
const LEAST_POINTS = 4;
const CLIP = 3;
const CAP_Z = 6;
/** A median moves by so much of itself a day, so that a slow ramp cannot teach itself in. */
const MOVE = 0.2;

/** Reads the closed hours of a window, oldest first, and learns each after it was read. */
export function readVolumes(
  facts: Pick<DetectionFacts, 'hours'>,
  memory: Pick<DetectionMemory, 'series'>,
  settings: VolumeSettings,
): { readings: VolumeReading[]; series: DetectionMemory['series'] } {
  if (facts.hours.length === 0) return { readings: [], series: memory.series };
  const series = new Map<string, SeriesMemory>();
  const at = calendarHours(settings.rule.calendar);
  const readings: VolumeReading[] = [];
  const bySeries = groupBy(facts.hours.map(tidy), ({ id }) => id);
  for (const id of [...bySeries.keys()].sort()) {
    const hours = groupBy(bySeries.get(id) ?? [], ({ hour }) => String(hour));
    let state = Object.hasOwn(memory.series, id) ? memory.series[id] : undefined;
    for (const hour of [...hours.keys()].map(Number).sort((a, b) => a - b)) {
      const rows = hours.get(String(hour)) ?? [];
      const first = rows[0];
      if (first === undefined) continue;
      const count = rows.reduce((sum, row) => sum + row.count, 0);
      // An hour that was learnt is not judged again; the query gives closed hours once.
      if (state !== undefined && hour < endOf(state)) continue;
      const quarantined = settings.quarantined(first.who, first.key);
      state = throughQuiet(state, hour, settings.rule, at);
      const next = advance(state, hour, count, settings.rule, at(hour), {
        quarantined,
        allowance: settings.allowance(first.who),
        runs: settings.isBatch(first.who) ? 1 : 2,
      });
      readings.push({ ...next.reading, key: first.key, who: first.who, caller: first.caller, class: first.class });
      state = next.state;
    }
    if (state !== undefined) series.set(id, state);
  }
  return { readings, series: bounded(overlaid(memory.series, series)) };
}

function tidy({ key, caller, class: of, hour, count }: HourVolume) {
  const name = key.slice(0, 127).toLowerCase();
  const who = (caller.oid || caller.app || 'nobody').slice(0, 200).toLowerCase();
  return { id: `${name} ${who} ${of}`, key: name, who, caller, class: of, hour: hourOf(Date.parse(hour)), count };
}

/** What this caller is let. */
interface Leave {
  quarantined: boolean;
  allowance: number;
  /** Earlier runs by which a job is known. */
  runs: number;
}

const NO_LEAVE: Leave = { quarantined: false, allowance: 0, runs: 2 };

type Read = Omit<VolumeReading, 'key' | 'who' | 'caller' | 'class'>;

function advance(
  before: SeriesMemory | undefined,
  hour: number,
  count: number,
  rule: DetectionRule,
  calendar: CalendarHour,
  { quarantined, allowance, runs }: Leave,
): { reading: Read; state: SeriesMemory } {
  const filled = before === undefined ? newSeries(hour) : fillTo(before, hour);
  const { parameters } = rule.detectors['volume-out-of-season'];
  const days = filled.counts.length / 24;
  const most = filled.counts.reduce((largest, value) => Math.max(largest, value), 0);
  const zBefore = before !== undefined && hour === endOf(before) ? filled.z : 0;
  const usual = usualAt(filled, hour, rule, calendar);
  if (usual === undefined) {
    const reading: Read = { hour, count, zBefore, most, days, allowed: false };
    return { reading, state: { ...filled, counts: push(filled, count), start: startOf(filled), z: 0 } };
  }

  const { centre, scale, slot } = usual;
  const z = (anscombe(count) - centre) / scale;
  const excess = count - inverseAnscombe(centre);
  const sparse = inverseAnscombe(centre) < parameters.sparse;
  const logTail = sparse ? logPoissonTail(count, Math.max(usual.mean, 0.2)) : undefined;
  const residual = Math.max(-CLIP, Math.min(CLIP, (anscombe(count) - usual.own) / usual.ownScale));
  const left = allowanceLeft(filled, hour, allowance);
  const burst = z >= parameters.sustained && excess > 0;
  const again = sparse && burst && ranBefore(filled, hour, count, usual.factor) >= runs;
  // The first minutes of a burst may be too few to show in the hour before; they are of the same burst.
  const begun = Math.max(0, (filled.counts.at(-1) ?? 0) - inverseAnscombe(centre));
  const fits = burst && excess + begun <= left;
  const allowed = again || fits;
  // Days that the calendar expects to be busy, and bursts that are allowed, say nothing of drift.
  const drift = usual.factor > 1 || allowed ? filled.drift : ewma(filled.drift, residual, parameters.driftWeight);
  // Of busy series, and of those that scatter more than chance alone, whole days are busier or quieter. What a busy day
  // left behind is still there in its quiet evening, so any hour of the day says that a series is busy.
  const shared = usual.ownScale > 1.5 || inverseAnscombe(usual.own) >= 30 || filled.centres.some((each) => each >= 30);
  const drifting = drift >= (shared ? parameters.sharedDrift : parameters.drift);

  // Learnt at most as large as a finding; not at all while an incident is open or the calendar excuses it.
  const cap = Math.ceil(inverseAnscombe(centre + CAP_Z * scale));
  const excused = quarantined || allowed || usual.factor > 1;
  const learnt = excused
    ? Math.min(count, Math.round(inverseAnscombe(usual.own) / usual.factor))
    : Math.min(count, cap);
  const reading: Read = {
    hour,
    count,
    usual: inverseAnscombe(centre),
    z,
    zBefore,
    ...(logTail === undefined ? {} : { logTail }),
    ...(drifting ? { drift } : {}),
    most,
    days,
    allowed,
  };
  const state: SeriesMemory = {
    ...filled,
    counts: push(filled, learnt),
    start: startOf(filled),
    z: excess >= parameters.excess && !allowed ? z : 0,
    drift: drifting ? 0 : drift,
    centres: filled.centres.with(slot, inverseAnscombe(usual.unscaled)),
    moved: filled.moved.with(slot, Math.floor(hour / 24)),
    ...(burst && !quarantined ? { bursts: noted(filled, hour, count) } : {}),
    ...(fits && !again ? { allowance: { hour: startOfAllowance(filled, hour), left: left - excess - begun } } : {}),
  };
  return { reading, state };
}

const BURST_HOURS = 2;

/** Days on which a burst as large came at about this hour: a job that does not run every night. */
function ranBefore({ bursts = [] }: SeriesMemory, hour: number, count: number, factor: number): number {
  const alike = bursts.filter((burst) => {
    const apart = Math.abs(hour - burst.hour) % 24;
    return hour - burst.hour >= 12 && Math.min(apart, 24 - apart) <= BURST_HOURS && count <= 1.5 * factor * burst.count;
  });
  return new Set(alike.map((burst) => Math.floor((burst.hour + 12) / 24))).size;
}

const noted = ({ bursts = [] }: SeriesMemory, hour: number, count: number) =>
  [...bursts, { hour, count }].filter((burst) => hour - burst.hour < HOURS).slice(-MEMORY_LIMITS.bursts);

/** A burst may fall into two hours, so what the first leaves of the allowance is for the second. */
const allowanceLeft = ({ allowance }: SeriesMemory, hour: number, whole: number): number =>
  allowance !== undefined && hour - allowance.hour < 24 ? allowance.left : whole;

const startOfAllowance = ({ allowance }: SeriesMemory, hour: number): number =>
  allowance !== undefined && hour - allowance.hour < 24 ? allowance.hour : hour;

interface Usual {
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
function usualAt(
  series: SeriesMemory,
  hour: number,
  rule: DetectionRule,
  { slot, factor, alike }: CalendarHour,
): Usual | undefined {
  const samples = alike.map((days, index) => sampleOf(series, hour + index - 1, days));
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

/** Counts at this hour so many days before. */
function sampleOf({ counts, start }: SeriesMemory, hour: number, daysBack: readonly number[]): number[] {
  const sample: number[] = [];
  for (const back of daysBack) {
    const index = hour - back * 24 - start;
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

const newSeries = (start: number): SeriesMemory => ({
  start,
  counts: [],
  centres: Array<number>(48).fill(-1),
  moved: Array<number>(48).fill(0),
  drift: 0,
  z: 0,
});

/** Hours that nobody reported were quiet, and count against a drift; after two days of quiet there is none left. */
function throughQuiet(
  series: SeriesMemory | undefined,
  hour: number,
  rule: DetectionRule,
  at: (hour: number) => CalendarHour,
): SeriesMemory | undefined {
  if (series === undefined || hour - endOf(series) > 48) return series;
  let state = series;
  for (let quiet = endOf(state); quiet < hour; quiet += 1) {
    state = advance(state, quiet, 0, rule, at(quiet), NO_LEAVE).state;
  }
  return state;
}

function fillTo(series: SeriesMemory, hour: number): SeriesMemory {
  const missing = hour - endOf(series);
  if (missing <= 0) return series;
  if (missing >= HOURS) return { ...newSeries(hour - HOURS), counts: Array<number>(HOURS).fill(0) };
  const counts = [...series.counts, ...Array<number>(missing).fill(0)].slice(-HOURS);
  return { ...series, counts, start: hour - counts.length, drift: 0 };
}

const endOf = ({ start, counts }: SeriesMemory): number => start + counts.length;

function push({ counts }: SeriesMemory, count: number): number[] {
  const longer = counts.length < HOURS ? counts.slice() : counts.slice(1);
  longer.push(count);
  return longer;
}
const startOf = ({ start, counts }: SeriesMemory): number => (counts.length < HOURS ? start : start + 1);

/** Room for so many series; those that were quiet longest go first. */
function bounded(series: Record<string, SeriesMemory>): Record<string, SeriesMemory> {
  const all = Object.entries(series);
  if (all.length <= MEMORY_LIMITS.series) return series;
  // Long-known series are worth more than what a flood of new names brought this hour.
  const sorted = all.sort(
    ([a, x], [b, y]) => y.counts.length - x.counts.length || endOf(y) - endOf(x) || (a < b ? -1 : 1),
  );
  return Object.fromEntries(sorted.slice(0, MEMORY_LIMITS.series));
}
