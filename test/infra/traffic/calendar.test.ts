import { describe, expect, test } from 'vitest';
import { createCalendar, DAY, HOUR, ZONES } from '../../../infra/traffic/calendar.ts';
import { wallClock } from '../../../shared/time-zone.ts';

describe('local time by rule', () => {
  test.each(ZONES)('agrees with the zone data of the runtime in $name, every six hours of four years', (zone) => {
    const calendar = createCalendar(zone, [], [2023, 2024, 2025, 2026, 2027]);
    const wrong: string[] = [];
    for (let at = Date.UTC(2024, 0, 1); at < Date.UTC(2028, 0, 1); at += 6 * HOUR) {
      if (calendar.local(at) !== wallClock(new Date(at), zone.name).getTime()) wrong.push(new Date(at).toISOString());
    }
    expect(wrong).toEqual([]);
  });

  test('finds the local hour on the days when clocks change', () => {
    const berlin = createCalendar(ZONES[0] as (typeof ZONES)[number], [], [2026]);
    for (const day of ['2026-03-29', '2026-10-25', '2026-06-15', '2026-01-15']) {
      const noon = berlin.atLocalHour(Date.parse(`${day}T10:00:00Z`), 12);
      expect(new Date(berlin.local(noon)).toISOString()).toBe(`${day}T12:00:00.000Z`);
    }
  });

  test('rests on holidays and at weekends', () => {
    const berlin = createCalendar(ZONES[0] as (typeof ZONES)[number], ['2026-07-08'], [2026]);
    const rest = Array.from({ length: 7 }, (_, day) => !berlin.isWorkday(Date.UTC(2026, 6, 6, 12) + day * DAY));
    expect(rest).toEqual([false, false, true, false, false, true, true]);
  });
});
