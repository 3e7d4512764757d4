import type { BackupSchedule } from '../policy/hsm-rule.ts';
import { addDuration, DAY_MS, durationInDays } from '../time.ts';
import { instantAt, wallClock } from '../time-zone.ts';

/** The last instant at or before `now` at which a backup was due; undefined before the schedule starts. */
export function slotAtOrBefore(schedule: BackupSchedule, now: Date): Date | undefined {
  return slotsAround(schedule, now).findLast((slot) => slot <= now);
}

/** The first instant after `now` at which a backup is due. */
export function slotAfter(schedule: BackupSchedule, now: Date): Date {
  const next = slotsAround(schedule, now).find((slot) => slot > now);
  if (next === undefined) throw new RangeError(`No slot follows ${now.toISOString()} every ${schedule.every}.`);
  return next;
}

/** How many slots lie after `from` and before `until`, both left out; counted up to `most`. */
export function slotsBetween(schedule: BackupSchedule, from: Date, until: Date, most = 1000): number {
  let count = 0;
  for (let slot = slotAfter(schedule, from); slot < until && count < most; slot = slotAfter(schedule, slot)) count += 1;
  return count;
}

/**
 * Three slots on either side of `now`. Whole days are counted on the calendar of the zone, so that 02:00 stays 02:00 when
 * clocks change; anything else is elapsed time.
 */
function slotsAround({ every, at, timeZone, starts }: BackupSchedule, now: Date): Date[] {
  const days = durationInDays(every);
  const origin = Date.parse(`${starts}T00:00:00Z`);
  const first = addDuration(new Date(origin), every).getTime() - origin;
  const onCalendar = Number.isInteger(days);
  const local = onCalendar ? wallClock(now, timeZone).getTime() : now.getTime();
  const current = Math.floor((local - origin) / first);
  return [-2, -1, 0, 1, 2, 3]
    .map((step) => Math.max(current + step, 0))
    .filter((step, index, all) => index === 0 || step !== all[index - 1])
    .map((step) => new Date(origin + step * first + (onCalendar ? minutesOf(at) * 60_000 : 0)))
    .map((slot) => (onCalendar ? instantAt(slot, timeZone) : slot));
}

function minutesOf(at: string | undefined): number {
  const [hours = '0', minutes = '0'] = (at ?? '00:00').split(':');
  return (Number(hours) * 60 + Number(minutes)) % (DAY_MS / 60_000);
}
