import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forecastVersionBudget, observedCadence } from '../../../shared/rotation/version-budget.ts';
import { NOW } from '../builders.ts';

const forecast = (changes: Partial<Parameters<typeof forecastVersionBudget>[0]>) =>
  forecastVersionBudget({ used: 10, cadence: 90, now: NOW, plannedLife: 'P10Y', warning: 'P1Y', ...changes });

describe('forecastVersionBudget', () => {
  it.each([
    [10, 90, 'ok'],
    [97, 90, 'warn'],
    [100, 90, 'spent'],
    [140, 90, 'spent'],
  ])('calls %i versions at one every %i days %s', (used, cadence, level) => {
    expect(forecast({ used, cadence }).level).toBe(level);
  });

  it('names the day of the last version', () => {
    expect(forecast({ used: 99, cadence: 10 })).toMatchObject({ remaining: 1, lastVersionOn: '2030-01-25T12:00:00Z' });
  });

  it('says when the versions run out before the planned life', () => {
    expect(forecast({ used: 50, cadence: 28 }).cannotLast).toEqual({
      lastsUntil: '2033-12-13T12:00:00Z',
      plannedUntil: '2040-01-15T12:00:00Z',
    });
    expect(forecast({ used: 0, cadence: 90 }).cannotLast).toBeUndefined();
  });

  it('never lasts longer for having used more', () => {
    fc.assert(
      fc.property(fc.nat(120), fc.nat(120), fc.integer({ min: 1, max: 400 }), (a, b, cadence) => {
        const [fewer, more] = [Math.min(a, b), Math.max(a, b)];
        const last = (used: number) => Date.parse(forecast({ used, cadence }).lastVersionOn);
        expect(last(more)).toBeLessThanOrEqual(last(fewer));
      }),
    );
  });
});

describe('observedCadence', () => {
  it('is the mean gap between the newest versions, in any order', () => {
    const days = ['2030-01-21T00:00:00Z', '2030-01-01T00:00:00Z', '2030-01-11T00:00:00Z'];
    expect(observedCadence(days)).toBe(10);
  });

  it('is unknown with fewer than three versions', () => {
    expect(observedCadence(['2030-01-01T00:00:00Z', '2030-01-02T00:00:00Z'])).toBeUndefined();
  });
});
