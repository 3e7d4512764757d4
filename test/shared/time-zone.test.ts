import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toIso } from '../../shared/time.ts';
import { instantAt, isTimeZone, wallClock } from '../../shared/time-zone.ts';

const at = (text: string) => new Date(text);

describe('local time', () => {
  it.each([
    ['Europe/Berlin', true],
    ['UTC', true],
    ['Mars/Olympus', false],
    ['', false],
  ])('knows the zone %j: %s', (name, known) => {
    expect(isTimeZone(name)).toBe(known);
  });

  it('reads the wall clock of a zone', () => {
    expect(toIso(wallClock(at('2030-07-01T12:00:00Z'), 'Asia/Kolkata'))).toBe('2030-07-01T17:30:00Z');
  });

  it('takes the earlier instant when clocks go back', () => {
    expect(toIso(instantAt(at('2030-10-27T02:30:00Z'), 'Europe/Berlin'))).toBe('2030-10-27T00:30:00Z');
  });

  it('moves past the gap when clocks go forward', () => {
    expect(toIso(instantAt(at('2030-03-31T02:30:00Z'), 'Europe/Berlin'))).toBe('2030-03-31T01:30:00Z');
  });

  it('turns a wall clock that exists into an instant that shows it', () => {
    const zone = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC');
    const instant = fc.date({ min: at('2025-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z'), noInvalidDate: true });
    fc.assert(
      fc.property(zone, instant, (name, date) => {
        const wall = wallClock(date, name);
        expect(wallClock(instantAt(wall, name), name)).toEqual(wall);
      }),
    );
  });
});
