import type { Caller, HourVolume } from './audit-call.ts';
import { type CalendarHour, calendarHours } from './calendar-hours.ts';
import type { DetectionFacts } from './detection-facts.ts';
import { allowanceLeft, noted, ranBefore, startOfAllowance } from './excused-bursts.ts';
import { groupBy } from './group-by.ts';
import { newLevel, type Shift, shiftOf, withLevel } from './level-shift.ts';
import type { DetectionMemory, LevelMemory, SeriesMemory } from './memory.ts';
import { overlaid } from './overlaid.ts';
import type { DetectionRule } from './rule.ts';
import { bounded, endOf, fillTo, newSeries, push, startOf } from './series.ts';
import { anscombe, ewma, inverseAnscombe, logPoissonTail } from './statistics.ts';
import { hourOf } from './time-bins.ts';
import { type Usual, usualAt } from './usual-volume.ts';

/** One hour of one caller on one key, against what is usual. */
export interface VolumeReading {
  key: string;
  who: string;
  caller: Caller;
  class: HourVolume['class'];
  hour: number;
  count: number;
  /** The hour is not over: what it has so far. */
  open?: true;
  /** Usual count, and robust z against it. Absent: too short a history; `most` of it is all that can be compared. */
  usual?: number;
  z?: number;
  /** Of a busy series, whose hours of one day rise and fall together, so that the next hour says less than the first. */
  busy?: true;
  /** z of the hour before, 0 if that was quiet. */
  zBefore: number;
  /** ln of the chance of so many, where the series is sparse. */
  logTail?: number;
  /** Drift that reached the limit, and starts again at nothing. */
  drift?: number;
  /** Of a busy series: a lasting step up that reached the limit in this hour. */
  shift?: Shift;
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
  /** Operations that the caller may do at once, and how often in 24 hours. */
  allowance(who: string): { allowance: number; openings: number };
  /** A job of which one earlier run is enough to know it by. */
  isBatch(who: string): boolean;
}

const CLIP = 3;
const CAP_Z = 6;

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
      state = throughQuiet(state, hour, settings.rule, at);
      const leave = leaveOf(settings, first.who, first.key);
      const next = advance(state, hour, count, settings.rule, at(hour), leave);
      readings.push({ ...next.reading, key: first.key, who: first.who, caller: first.caller, class: first.class });
      state = next.state;
    }
    if (state !== undefined) series.set(id, state);
  }
  return { readings, series: bounded(overlaid(memory.series, series)) };
}

export const seriesIdOf = (key: string, who: string, of: string): string => `${key.slice(0, 127)} ${who} ${of}`;

function tidy({ key, caller, class: of, hour, count }: HourVolume) {
  const name = key.slice(0, 127).toLowerCase();
  const who = (caller.oid || caller.app || 'nobody').slice(0, 200).toLowerCase();
  return { id: seriesIdOf(name, who, of), key: name, who, caller, class: of, hour: hourOf(Date.parse(hour)), count };
}

/** What this caller is let. */
interface Leave {
  quarantined: boolean;
  /** Operations that may come at once, and how often in 24 hours. */
  allowance: number;
  openings: number;
  /** Earlier runs by which a job is known. */
  runs: number;
}

const NO_LEAVE: Leave = { quarantined: false, allowance: 0, openings: 1, runs: 2 };

export const leaveOf = (settings: VolumeSettings, who: string, key: string): Leave => ({
  quarantined: settings.quarantined(who, key),
  ...settings.allowance(who),
  runs: settings.isBatch(who) ? 1 : 2,
});

type Read = Omit<VolumeReading, 'key' | 'who' | 'caller' | 'class'>;

/** One more hour: how it compares, and the series that has learnt it. */
export function advance(
  before: SeriesMemory | undefined,
  hour: number,
  count: number,
  rule: DetectionRule,
  calendar: CalendarHour,
  { quarantined, allowance, openings, runs }: Leave,
): { reading: Read; state: SeriesMemory } {
  const filled = before === undefined ? newSeries(hour) : fillTo(before, hour);
  const { parameters } = rule.detectors['volume-out-of-season'];
  const days = filled.counts.length / 24;
  const most = filled.counts.reduce((largest, value) => Math.max(largest, value), 0);
  const zBefore = before !== undefined && hour === endOf(before) ? filled.z : 0;
  const usual = usualAt(filled, hour, rule, { ...calendar, factor: believed(filled, calendar) });
  if (usual === undefined) {
    const reading: Read = { hour, count, zBefore, most, days, allowed: false };
    // The first run of a job is what its series begins with.
    const run = count >= parameters.excess && count > 2 * most && !quarantined;
    const bursts = run ? { bursts: noted(filled, hour, count) } : {};
    return { reading, state: { ...filled, counts: push(filled, count), start: startOf(filled), z: 0, ...bursts } };
  }

  const { centre, scale, slot } = usual;
  const z = (anscombe(count) - centre) / scale;
  const excess = count - inverseAnscombe(centre);
  const sparse = inverseAnscombe(centre) < parameters.sparse;
  const logTail = sparse ? logPoissonTail(count, Math.max(usual.mean, 0.2)) : undefined;
  const residual = Math.max(-CLIP, Math.min(CLIP, (anscombe(count) - usual.own) / usual.ownScale));
  const left = allowanceLeft(filled, hour, openings * allowance);
  const unlikely = logTail !== undefined && logTail / Math.LN10 <= -parameters.logTail;
  const burst = excess > 0 && (unlikely || z >= parameters.sustained);
  // Of a job that is named, two runs among four weekends make a usual that is neither quiet nor a run.
  const again = (sparse || runs === 1) && burst && ranBefore(filled, hour, count, usual.factor) >= runs;
  // The first minutes of a burst may be too few to show in the hour before; they are of the same burst.
  const begun = Math.max(0, (filled.counts.at(-1) ?? 0) - inverseAnscombe(centre));
  const fits = burst && excess + begun <= Math.min(left, allowance);
  const allowed = again || fits;
  // Days that the calendar expects to be busy, and bursts that are allowed, say nothing of drift.
  const drift = usual.factor > 1 || allowed ? filled.drift : ewma(filled.drift, residual, parameters.driftWeight);
  // Of busy series, and of those that scatter more than chance alone, whole days are busier or quieter. What a busy day
  // left behind is still there in its quiet evening, so any hour of the day says that a series is busy.
  const busy = inverseAnscombe(usual.own) >= BUSY || filled.centres.some((each) => each >= BUSY);
  const shared = busy || usual.ownScale > 1.5;
  const level =
    usual.factor > 1 || allowed ? { memory: filled.level } : levelled(filled, hour, count, usual, calendar, rule);
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
    ...(busy ? { busy } : {}),
    ...(drifting ? { drift } : {}),
    ...(level.shift === undefined ? {} : { shift: level.shift }),
    most,
    days,
    allowed,
  };
  const state: SeriesMemory = {
    ...filled,
    counts: push(filled, learnt),
    start: startOf(filled),
    ...(filled.open ? { open: filled.open.filter((each) => each.hour > hour) } : {}),
    z: excess >= parameters.excess ? z : 0,
    ...(level.memory === undefined ? {} : { level: level.memory }),
    today: withHour(filled, calendar, count, usual),
    drift: drifting ? 0 : drift,
    centres: filled.centres.with(slot, inverseAnscombe(usual.unscaled)),
    moved: filled.moved.with(slot, Math.floor(hour / 24)),
    ...(burst && !quarantined ? { bursts: noted(filled, hour, count) } : {}),
    ...(fits && !again ? { allowance: { hour: startOfAllowance(filled, hour), left: left - excess - begun } } : {}),
  };
  return { reading, state };
}

/** An hour of fewer usual operations says little of how busy a day is. */
const BUSY = 30;

function levelled(
  { level }: SeriesMemory,
  hour: number,
  count: number,
  { own }: Usual,
  { day }: CalendarHour,
  rule: DetectionRule,
): { memory: LevelMemory | undefined; shift?: Shift } {
  const usual = inverseAnscombe(own);
  if (usual < BUSY) return { memory: level };
  const memory = withLevel(level ?? newLevel(), hour, day, (count + 0.5) / (usual + 0.5));
  const shift = shiftOf(memory);
  const { shift: least, shiftRatio } = rule.detectors['volume-out-of-season'].parameters;
  const above = shift !== undefined && shift.score >= least && shift.ratio >= shiftRatio;
  return { memory: { ...memory, above }, ...(above && !level?.above ? { shift } : {}) };
}

/** A day of so many usual operations tells whether it is as busy as the calendar allows. */
const TELLING = 100;

/** How much busier the day may be: what the calendar says, and no more than a quarter above what the day has been so far. */
function believed({ today }: SeriesMemory, { day, factor }: CalendarHour): number {
  if (factor === 1 || today === undefined || today.day !== day || today.usual < TELLING) return factor;
  return Math.max(1, Math.min(factor, (1.25 * today.count) / today.usual));
}

/** The day so far; hours that were far too busy count as far as they were usual, so that they excuse no others. */
function withHour({ today }: SeriesMemory, { day, factor }: CalendarHour, count: number, its: Usual) {
  const usual = inverseAnscombe(its.own) / its.factor;
  const before = today?.day === day ? today : { day, count: 0, usual: 0 };
  return { day, count: before.count + Math.min(count, factor * usual), usual: before.usual + usual };
}

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
