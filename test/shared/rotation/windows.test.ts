import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MaintenanceWindow } from '../../../shared/policy/rule.ts';
import { currentBlackout, endOfBlackouts } from '../../../shared/rotation/blackout.ts';
import { nextPermitted } from '../../../shared/rotation/next-permitted.ts';
import { currentOpening, nextOpening } from '../../../shared/rotation/windows.ts';
import { addDuration, toIso } from '../../../shared/time.ts';
import { wallClock } from '../../../shared/time-zone.ts';

const at = (text: string) => new Date(text);
const NIGHT: MaintenanceWindow = { days: ['Sat'], opens: '22:00', lasts: 'PT4H', timeZone: 'Europe/Berlin' };

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

const aWindow = fc.record({
  days: fc.uniqueArray(fc.constantFrom(...WEEKDAYS), { minLength: 1 }),
  opens: fc
    .tuple(fc.nat(23), fc.nat(59))
    .map(([hours, minutes]) => `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`),
  lasts: fc.integer({ min: 1, max: 1440 }).map((minutes) => `PT${minutes}M`),
  timeZone: fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Kiritimati', 'UTC'),
});

const anInstant = fc.date({ min: at('2028-01-01T00:00:00Z'), max: at('2032-01-01T00:00:00Z'), noInvalidDate: true });

const aBlackout = fc
  .tuple(anInstant, fc.integer({ min: 1, max: 40 }))
  .map(([from, days]) => ({ from: toIso(from), until: toIso(addDuration(from, `P${days}D`)), reason: 'freeze' }));

describe('a maintenance window', () => {
  it.each([
    ['before it opens', '2030-01-19T20:59:59Z', false],
    ['as it opens', '2030-01-19T21:00:00Z', true],
    ['past midnight', '2030-01-20T00:30:00Z', true],
    ['as it closes', '2030-01-20T01:00:00Z', false],
  ])('is judged %s', (_title, now, open) => {
    expect(currentOpening([NIGHT], at(now)) !== undefined).toBe(open);
  });

  it('opens at the same local time in summer as in winter', () => {
    expect(toIso(nextOpening([NIGHT], at('2030-07-01T00:00:00Z'))?.opens ?? at('1970-01-01'))).toBe(
      '2030-07-06T20:00:00Z',
    );
  });

  it('opens after the gap when clocks skip its hour, and at the first of two when they repeat it', () => {
    const spring = { ...NIGHT, days: ['Sun' as const], opens: '02:30' };
    expect(toIso(nextOpening([spring], at('2030-03-30T12:00:00Z'))?.opens ?? at('1970-01-01'))).toBe(
      '2030-03-31T01:30:00Z',
    );
    expect(toIso(nextOpening([spring], at('2030-10-26T12:00:00Z'))?.opens ?? at('1970-01-01'))).toBe(
      '2030-10-27T00:30:00Z',
    );
  });

  it('is never awaited when there is none', () => {
    expect(nextOpening([], at('2030-01-01T00:00:00Z'))).toBeUndefined();
  });

  it('next opens at an instant that lies in it, on one of its days, within eight days', () => {
    fc.assert(
      fc.property(aWindow, anInstant, (window, now) => {
        const opening = nextOpening([window], now);
        if (opening === undefined) throw new Error('A window recurs every week.');
        expect(opening.opens > now).toBe(true);
        expect(opening.opens <= addDuration(now, 'P8D')).toBe(true);
        expect(currentOpening([window], opening.opens)).toBeDefined();
        const weekday = WEEKDAYS[wallClock(opening.opens, window.timeZone).getUTCDay()];
        expect(window.days).toContain(weekday);
      }),
    );
  });
});

describe('a blackout', () => {
  const first = { from: '2030-01-10T00:00:00Z', until: '2030-01-20T00:00:00Z', reason: 'freeze' };
  const second = { from: '2030-01-20T00:00:00Z', until: '2030-01-25T00:00:00Z', reason: 'audit' };

  it('covers its first instant and not its last', () => {
    expect(currentBlackout([first], at(first.from))).toBe(first);
    expect(currentBlackout([first], at(first.until))).toBeUndefined();
  });

  it('that another follows ends with the other', () => {
    expect(toIso(endOfBlackouts([second, first], at('2030-01-15T00:00:00Z')))).toBe('2030-01-25T00:00:00Z');
  });
});

describe('the next permitted instant', () => {
  it('lies in a window and in no blackout, and no later than need be', () => {
    fc.assert(
      fc.property(
        fc.array(aWindow, { maxLength: 3 }),
        fc.array(aBlackout, { maxLength: 3 }),
        anInstant,
        (windows, blackouts, now) => {
          const next = nextPermitted(windows, blackouts, now);
          if (next === undefined) throw new Error('Blackouts of weeks end.');
          expect(next >= now).toBe(true);
          expect(currentBlackout(blackouts, next)).toBeUndefined();
          if (windows.length > 0) expect(currentOpening(windows, next)).toBeDefined();
          const permitted = !currentBlackout(blackouts, now) && (windows.length === 0 || currentOpening(windows, now));
          if (permitted) expect(next).toEqual(now);
        },
      ),
      { numRuns: 60 },
    );
  });
});
