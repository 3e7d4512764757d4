import { wallClock } from '../time-zone.ts';
import type { DetectionRule } from './rule.ts';

type Calendar = DetectionRule['calendar'];

const DAY_MS = 86_400_000;

/** A weekend or a listed holiday, in the calendar's zone. */
export function isOffDay(calendar: Calendar, at: number): boolean {
  const local = wallClock(new Date(at), calendar.timeZone);
  const weekday = local.getUTCDay();
  return weekday === 0 || weekday === 6 || calendar.holidays.includes(local.toISOString().slice(0, 10));
}

/** How much busier than usual the day may be: the factor near the end of a month, else 1. */
export function busierBy({ timeZone, monthEnd }: Calendar, at: number): number {
  const local = wallClock(new Date(at), timeZone);
  const last = new Date(local.getTime() + monthEnd.lastDays * DAY_MS).getUTCMonth() !== local.getUTCMonth();
  return last || local.getUTCDate() <= monthEnd.firstDays ? monthEnd.factor : 1;
}
