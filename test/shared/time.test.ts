import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addDuration,
  compareDurations,
  daysBetween,
  durationInDays,
  durationInWords,
  parseDay,
  parseDuration,
  parseInstant,
  printDuration,
  sameDuration,
  subtractDuration,
  toIso,
} from '../../shared/time.ts';

const at = (text: string) => new Date(text);

const aDuration = fc.record({
  years: fc.nat(99),
  months: fc.nat(99),
  weeks: fc.nat(99),
  days: fc.nat(999),
  hours: fc.nat(99),
  minutes: fc.nat(99),
  seconds: fc.nat(99),
});

const anInstant = fc.date({ min: at('1971-01-01T00:00:00Z'), max: at('2200-01-01T00:00:00Z'), noInvalidDate: true });

describe('durations', () => {
  it.each(['', 'P', 'PT', 'P1', '1D', 'P1DT', 'P-1D', '-P1D', 'P1.5D', 'p1d', 'P1M1Y', 'PT1D', ' P1D'])(
    'refuse %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it('print as they parse', () => {
    fc.assert(
      fc.property(aDuration, (duration) => {
        expect(parseDuration(printDuration(duration))).toEqual(duration);
      }),
    );
  });

  it.each([
    ['2030-01-31T10:00:00Z', 'P1M', '2030-02-28T10:00:00Z'],
    ['2028-01-31T10:00:00Z', 'P1M', '2028-02-29T10:00:00Z'],
    ['2028-02-29T00:00:00Z', 'P1Y', '2029-02-28T00:00:00Z'],
    ['2030-11-30T00:00:00Z', 'P3M', '2031-02-28T00:00:00Z'],
    ['2030-01-01T00:00:00Z', 'P1W', '2030-01-08T00:00:00Z'],
    ['2030-01-01T00:00:00Z', 'P1Y2M3DT4H5M6S', '2031-03-04T04:05:06Z'],
  ])('%s plus %s is %s', (from, duration, to) => {
    expect(toIso(addDuration(at(from), duration))).toBe(to);
  });

  it('count back from the end of a month to the end of a shorter one', () => {
    expect(toIso(subtractDuration(at('2030-03-31T00:00:00Z'), 'P1M'))).toBe('2030-02-28T00:00:00Z');
  });

  it('never move the date that they are added to', () => {
    const start = at('2030-01-31T00:00:00Z');
    addDuration(start, 'P1M');
    expect(toIso(start)).toBe('2030-01-31T00:00:00Z');
  });

  it('lead there and back for elapsed time', () => {
    fc.assert(
      fc.property(anInstant, aDuration, (start, duration) => {
        const text = printDuration({ ...duration, years: 0, months: 0 });
        expect(subtractDuration(addDuration(start, text), text)).toEqual(start);
      }),
    );
  });

  it('lead back from calendar steps to the same day, or up to three days before it where a month was too short', () => {
    fc.assert(
      fc.property(anInstant, fc.nat(600), (start, months) => {
        const back = subtractDuration(addDuration(start, `P${months}M`), `P${months}M`);
        const lost = daysBetween(back, start);
        expect([0, 1, 2, 3]).toContain(lost);
        if (start.getUTCDate() <= 28) expect(lost).toBe(0);
      }),
    );
  });

  it('add up in order: more months are never earlier', () => {
    fc.assert(
      fc.property(anInstant, fc.nat(60), fc.nat(60), (start, a, b) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)];
        expect(addDuration(start, `P${less}M`) <= addDuration(start, `P${more}M`)).toBe(true);
      }),
    );
  });

  it('compare by nominal length', () => {
    expect(durationInDays('P1Y')).toBe(365);
    expect(durationInDays('P12M')).toBe(365);
    expect(compareDurations('P28D', 'P1M')).toBeLessThan(0);
    expect(compareDurations('PT24H', 'P1D')).toBe(0);
  });

  it.each([
    ['P1Y', 'P12M', true],
    ['P1W', 'PT168H', true],
    ['P1Y', 'P365D', false],
    ['P1M', 'P30D', false],
  ])('%s and %s reach the same instant: %s', (a, b, same) => {
    expect(sameDuration(a, b)).toBe(same);
  });

  it('that are none are a bug by the time they are added', () => {
    expect(() => addDuration(at('2030-01-01T00:00:00Z'), 'soon')).toThrow(RangeError);
  });
});

describe('durations in words', () => {
  it.each([
    ['P30D', '30 days'],
    ['P1Y6M', '1 year 6 months'],
    ['PT1H30M', '1 hour 30 minutes'],
    ['PT0S', '0 seconds'],
    ['soon', 'soon'],
  ])('%s reads %s', (iso, words) => {
    expect(durationInWords(iso)).toBe(words);
  });
});

describe('instants', () => {
  it.each([
    '2030-02-31T00:00:00Z',
    '2030-13-01T00:00Z',
    '2030-01-01',
    '2030-01-01T00:00:00',
    '2030-01-01T25:00Z',
    'now',
  ])('refuse %s', (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  it('carry their zone', () => {
    expect(parseInstant('2030-01-01T02:00+02:00')).toEqual(at('2030-01-01T00:00:00Z'));
  });

  it('of a day begin it in UTC', () => {
    expect(parseDay('2028-02-29')).toEqual(at('2028-02-29T00:00:00Z'));
    expect(parseDay('2030-02-29')).toBeUndefined();
  });

  it('print without idle milliseconds', () => {
    expect(toIso(at('2030-01-01T00:00:00.000Z'))).toBe('2030-01-01T00:00:00Z');
    expect(toIso(at('2030-01-01T00:00:00.120Z'))).toBe('2030-01-01T00:00:00.120Z');
  });
});
