import { DAY_MS } from '../time.ts';
import { wallClock } from '../time-zone.ts';
import { MEMORY_LIMITS } from './memory.ts';
import { busierBy, isOffDate } from './off-days.ts';
import type { DetectionRule } from './rule.ts';

const HOUR_MS = 3_600_000;

/** What the calendar says of an hour, the same for every series. */
export interface CalendarHour {
  /** 24 hours of working days, then 24 of other days. */
  slot: number;
  /** Days since 1970-01-01 of the calendar's own clock. */
  day: number;
  /** How much busier than usual the day may be. */
  factor: number;
  /** Of the hour before, the hour itself and the next: how many days back days of the same type are, the newest first. */
  alike: number[][];
}

/** Looks each hour up once: a zone's clock is slow to read, and many series ask for the same hour. */
export function calendarHours(calendar: DetectionRule['calendar']): (hour: number) => CalendarHour {
  const known = new Map<number, CalendarHour>();
  return (hour) => {
    const found = known.get(hour) ?? read(calendar, hour);
    known.set(hour, found);
    return found;
  };
}

/** Days are told by the calendar's own, whatever its clocks do. */
function read(calendar: DetectionRule['calendar'], hour: number): CalendarHour {
  const local = wallClock(new Date(hour * HOUR_MS), calendar.timeZone).getTime();
  const off = isOffDate(calendar, local);
  const daysAlike = (at: number): number[] => {
    const days: number[] = [];
    for (let back = 1; back <= MEMORY_LIMITS.days; back += 1) {
      if (isOffDate(calendar, at - back * DAY_MS) === off) days.push(back);
    }
    return days;
  };
  return {
    day: Math.floor(local / DAY_MS),
    slot: new Date(local).getUTCHours() + (off ? 24 : 0),
    factor: busierBy(calendar, hour * HOUR_MS),
    alike: [-1, 0, 1].map((shift) => daysAlike(local + shift * HOUR_MS)),
  };
}
