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
  /** Of the hour before, the hour itself and the next: how many hours back the wall clock showed the same on days of the
   * same type, the newest first. People keep to their clocks, so a season that counts in UTC is an hour off for weeks. */
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
  const offsetAt = (at: number) => {
    const instant = at * HOUR_MS;
    return wallClock(new Date(instant), calendar.timeZone).getTime() - instant;
  };
  const offset = offsetAt(hour);
  const local = hour * HOUR_MS + offset;
  const off = isOffDate(calendar, local);
  // Zones are slow to read, and clocks are changed twice a year.
  const changed = offsetAt(hour - MEMORY_LIMITS.days * 24) !== offset;
  const hoursAlike = (shift: number): number[] => {
    const hours: number[] = [];
    for (let back = 24; back <= MEMORY_LIMITS.days * 24; back += 24) {
      if (isOffDate(calendar, local + (shift - back) * HOUR_MS) !== off) continue;
      const turned = changed ? offsetAt(hour + shift - back) - offset : 0;
      hours.push(back + Math.round(turned / HOUR_MS));
    }
    return hours;
  };
  return {
    day: Math.floor(local / DAY_MS),
    slot: new Date(local).getUTCHours() + (off ? 24 : 0),
    factor: busierBy(calendar, hour * HOUR_MS),
    alike: [-1, 0, 1].map(hoursAlike),
  };
}
