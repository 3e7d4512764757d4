import { describe, expect, test } from 'vitest';
import { calendarHours } from '../../../shared/detection/calendar-hours.ts';
import { isOffDay } from '../../../shared/detection/off-days.ts';
import { wallClock } from '../../../shared/time-zone.ts';
import { aRule } from './builders.ts';

const HOUR_MS = 3_600_000;
const hourOf = (iso: string) => Date.parse(iso) / HOUR_MS;

describe('the hours that an hour is compared with', () => {
  test.each([
    ['clocks stand', 'Europe/Berlin', '2026-02-18T08:00:00Z'],
    ['clocks went forward two days before', 'Europe/Berlin', '2026-03-31T08:00:00Z'],
    ['clocks went forward four weeks before', 'Europe/Berlin', '2026-04-25T08:00:00Z'],
    ['clocks went back a week before', 'America/New_York', '2026-11-08T13:00:00Z'],
    ['clocks moved by half an hour', 'Australia/Lord_Howe', '2026-04-10T01:00:00Z'],
    ['nobody changes clocks', 'Asia/Singapore', '2026-04-10T01:00:00Z'],
  ])('showed the same on the wall, on days of the same type: %s', (_, timeZone, at) => {
    const calendar = { ...aRule().calendar, timeZone };
    const hour = hourOf(at);
    const { alike } = calendarHours(calendar)(hour);
    const wall = (of: number) => wallClock(new Date(of * HOUR_MS), timeZone).getUTCHours();
    for (const [index, back] of alike.entries()) {
      expect(back.length).toBeGreaterThan(6);
      expect(back).toEqual(back.toSorted((a, b) => a - b));
      for (const each of back) {
        expect(wall(hour + index - 1 - each)).toBe(wall(hour + index - 1));
        expect(isOffDay(calendar, (hour + index - 1 - each) * HOUR_MS)).toBe(isOffDay(calendar, hour * HOUR_MS));
      }
    }
  });
});
