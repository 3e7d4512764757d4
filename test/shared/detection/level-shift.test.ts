import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newLevel, shiftOf, withLevel } from '../../../shared/detection/level-shift.ts';
import type { LevelMemory } from '../../../shared/detection/memory.ts';
import { PARAMETERS } from '../../../shared/detection/parameters.ts';

/** Standard normal numbers from a seed. */
function normal(seed: number): () => number {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
}

const DAYS = 28;

/** Ratios of a series whose days and hours scatter, fed hour by hour; from the hour `from` on they are `times` as large. */
function fed({ seed = 1, days = 0.15, hours = 0.2, from = Number.POSITIVE_INFINITY, times = 1, until = DAYS * 24 }) {
  const random = normal(seed);
  let level: LevelMemory = newLevel();
  let today = 0;
  for (let hour = 0; hour < until; hour += 1) {
    if (hour % 24 === 0) today = days * random();
    const value = today + hours * random() + (hour >= from ? Math.log(times) : 0);
    level = { ...withLevel(level, hour, Math.floor(hour / 24), Math.exp(value)), above: false };
  }
  return level;
}

describe('a lasting step in a busy series', () => {
  test('says nothing before ten days are known', () => {
    expect(shiftOf(fed({ until: 9 * 24 }))).toBeUndefined();
    expect(shiftOf(fed({ until: 12 * 24 }))).toBeDefined();
  });

  test('of three quarters for a day and a half is found, where it began and how large it is', () => {
    const from = DAYS * 24 + 9;
    const shift = shiftOf(fed({ from, times: 1.75, until: from + 36 }));
    expect(shift?.score).toBeGreaterThan(4);
    expect(Math.abs((shift?.from ?? 0) - from)).toBeLessThanOrEqual(6);
    expect(shift?.ratio).toBeGreaterThan(1.4);
    expect(shift?.ratio).toBeLessThan(2.2);
  });

  test('is told from a day that is busier as a whole, as days are', () => {
    // A day half as busy again, from midnight: three standard deviations of these days, and no step within it.
    const wholeDay = shiftOf(fed({ from: DAYS * 24, times: 1.35, until: DAYS * 24 + 24 }));
    const within = shiftOf(fed({ from: DAYS * 24 + 12, times: 1.35, until: DAYS * 24 + 24 }));
    expect(wholeDay?.score).toBeLessThan(4);
    expect(within?.score ?? 0).toBeGreaterThan(wholeDay?.score ?? 0);
  });

  test('is no rush of three hours', () => {
    const random = normal(4);
    let level: LevelMemory = newLevel();
    for (let hour = 0; hour < DAYS * 24; hour += 1) {
      const rush = hour >= DAYS * 24 - 14 && hour < DAYS * 24 - 11 ? 2 : 1;
      level = { ...withLevel(level, hour, Math.floor(hour / 24), rush * Math.exp(0.2 * random())), above: false };
    }
    expect(shiftOf(level)?.score).toBeLessThan(4);
  });

  test('is seldom seen where there is none', () => {
    const { value: told } = PARAMETERS['volume-out-of-season'].shift;
    const times = (until: number) =>
      Array.from({ length: 60 }, (_, seed) => shiftOf(fed({ seed: seed + 100, until }))?.score ?? 0).filter(
        (score) => score >= told,
      ).length;
    expect(times(DAYS * 24)).toBeLessThanOrEqual(1);
    // Of half as many days the scatter is less certain.
    expect(times(14 * 24)).toBeLessThanOrEqual(1);
  });

  test('keeps three days of hours and four weeks of days, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 900 }),
        (ratios) => {
          let level: LevelMemory = newLevel();
          for (const [hour, ratio] of ratios.entries())
            level = { ...withLevel(level, hour, Math.floor(hour / 24), ratio), above: false };
          expect(level.hours.length).toBeLessThanOrEqual(72);
          expect(level.days.length).toBeLessThanOrEqual(28);
          const shift = shiftOf(level);
          if (shift !== undefined) expect(Number.isFinite(shift.score)).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });
});
