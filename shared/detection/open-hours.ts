import { calendarHours } from './calendar-hours.ts';
import type { JudgedCall } from './judged-calls.ts';
import type { DetectionMemory, SeriesMemory } from './memory.ts';
import { overlaid } from './overlaid.ts';
import { endOf } from './series.ts';
import { hourOf } from './time-bins.ts';
import { advance, leaveOf, seriesIdOf, type VolumeReading, type VolumeSettings } from './volumes.ts';

/**
 * Hours that are not over. What came so far can only grow, so what would be told of the whole hour is told at once, and the
 * closed hour changes the same finding. Nothing is learnt here; hours that look usual are passed over without arithmetic.
 */
export function readOpenHours(
  calls: readonly JudgedCall[],
  before: DetectionMemory['series'],
  settings: VolumeSettings,
): { readings: VolumeReading[]; series: DetectionMemory['series'] } {
  const fresh = new Map<string, { call: JudgedCall; counts: Map<number, number> }>();
  for (const call of calls) {
    if (call.outcome !== 'ok' || call.key === undefined || !isCounted(call)) continue;
    const id = seriesIdOf(call.key, call.who, call.class);
    if (!Object.hasOwn(before, id)) continue;
    const known = fresh.get(id) ?? { call, counts: new Map<number, number>() };
    const hour = hourOf(call.firstMs);
    known.counts.set(hour, (known.counts.get(hour) ?? 0) + call.count);
    fresh.set(id, known);
  }
  const at = calendarHours(settings.rule.calendar);
  const { excess, ratio } = settings.rule.detectors['volume-out-of-season'].parameters;
  const series = new Map<string, SeriesMemory>();
  const readings: VolumeReading[] = [];
  for (const [id, { call, counts }] of fresh) {
    const known = before[id] as SeriesMemory;
    const open = opened(known, counts);
    series.set(id, { ...known, open });
    for (const { hour, count } of open) {
      if (!counts.has(hour) || count < excess) continue;
      const calendar = at(hour);
      if (count < ratio * (known.centres[calendar.slot] ?? 0)) continue;
      const key = call.key as string;
      const leave = leaveOf(settings, call.who, key);
      const { reading } = advance(known, hour, count, settings.rule, calendar, leave);
      readings.push({ ...reading, open: true, key, who: call.who, caller: call.caller, class: classOf(call) });
    }
  }
  return { readings, series: overlaid(before, series) };
}

/** The counts of hours that are still to close, the oldest first. */
function opened(series: SeriesMemory, counts: ReadonlyMap<number, number>): { hour: number; count: number }[] {
  const all = new Map((series.open ?? []).map(({ hour, count }) => [hour, count]));
  for (const [hour, count] of counts) all.set(hour, (all.get(hour) ?? 0) + count);
  return [...all]
    .map(([hour, count]) => ({ hour, count }))
    .filter(({ hour }) => hour >= endOf(series))
    .sort((a, b) => a.hour - b.hour)
    .slice(-MOST_OPEN);
}

/** An hour closes a quarter after its end, or hours later where the log is caught up with. */
const MOST_OPEN = 8;

const isCounted = ({ class: of, caller }: JudgedCall): boolean =>
  (of === 'crypto.protect' || of === 'crypto.unprotect') && (caller.oid !== '' || caller.app !== undefined);

const classOf = ({ class: of }: JudgedCall): VolumeReading['class'] =>
  of === 'crypto.protect' ? 'crypto.protect' : 'crypto.unprotect';
