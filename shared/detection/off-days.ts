import { DAY_MS } from '../time.ts';
import { wallClock } from '../time-zone.ts';
import type { DetectionRule } from './rule.ts';

type Calendar = DetectionRule['calendar'];

/** A weekend or a listed holiday, in the calendar's zone. */
export const isOffDay = (calendar: Calendar, at: number): boolean =>
  isOffDate(calendar, wallClock(new Date(at), calendar.timeZone).getTime());

/** The same of a wall clock, as `wallClock` writes it. */
export function isOffDate({ holidays }: Calendar, local: number): boolean {
  // 1970-01-01 was a Thursday.
  const weekday = (Math.floor(local / DAY_MS) + 4) % 7;
  if (weekday === 0 || weekday === 6) return true;
  return holidays.length > 0 && holidays.includes(new Date(local).toISOString().slice(0, 10));
}

/** How much busier than usual the day may be: the factor near the ends of a month, else 1. */
export function busierBy({ timeZone, monthEnd }: Calendar, at: number): number {
  const local = wallClock(new Date(at), timeZone);
  const last = new Date(local.getTime() + monthEnd.lastDays * DAY_MS).getUTCMonth() !== local.getUTCMonth();
  return last || local.getUTCDate() <= monthEnd.firstDays ? monthEnd.factor : 1;
}
