import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  anscombe,
  ewma,
  inverseAnscombe,
  jensenShannon,
  logGamma,
  logNegativeBinomialTail,
  logPoissonTail,
  median,
  percentile,
  scaledMad,
  surpriseOfNew,
} from '../../../shared/detection/statistics.ts';

/** ln P(X ≥ k) by adding up masses from k on, slowly. */
function slowTail(k: number, logMass: (n: number) => number): number {
  let sum = 0;
  for (let n = k; n < k + 4000; n += 1) sum += Math.exp(logMass(n));
  return Math.log(sum);
}

describe('statistics', () => {
  test('agree with known values', () => {
    expect(logGamma(1)).toBeCloseTo(0, 12);
    expect(logGamma(0.5)).toBeCloseTo(0.5 * Math.log(Math.PI), 12);
    expect(logGamma(11)).toBeCloseTo(Math.log(3_628_800), 10);
    expect(logGamma(171)).toBeCloseTo(706.573_062_245_787_4, 8);
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(scaledMad([1, 1, 2, 2, 4, 6, 9])).toBeCloseTo(1.4826, 10);
    expect(percentile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(percentile([10], 0.95)).toBe(10);
    expect(anscombe(0)).toBeCloseTo(1.224_744_87, 7);
    expect(ewma(1, 2, 0.1)).toBeCloseTo(1.1, 12);
    // 1 − e^−1, and 1 − e^−3·(1 + 3 + 4.5).
    expect(logPoissonTail(1, 1)).toBeCloseTo(Math.log(0.632_120_558_828_557_7), 12);
    expect(logPoissonTail(3, 3)).toBeCloseTo(Math.log(1 - Math.exp(-3) * 8.5), 12);
    expect(logPoissonTail(20, 2)).toBeCloseTo(-30.37308352072455, 8);
    // A geometric count: P(X ≥ 10) = (2/3)^10 for mean 2 and size 1.
    expect(logNegativeBinomialTail(10, 2, 1)).toBeCloseTo(10 * Math.log(2 / 3), 10);
    expect(jensenShannon({ a: 1 }, { b: 1 })).toBeCloseTo(1, 12);
    expect(jensenShannon({ a: 1, b: 3 }, { a: 10, b: 30 })).toBeCloseTo(0, 12);
    expect(surpriseOfNew([], 30)).toBe(1);
    expect(surpriseOfNew([0], 30)).toBeCloseTo(Math.exp(-1 / 30), 12);
  });

  test('name the cases that have no answer', () => {
    expect(median([])).toBeNaN();
    expect(percentile([], 0.95)).toBeNaN();
    expect(logPoissonTail(0, 0)).toBe(0);
    expect(logPoissonTail(1, 0)).toBe(Number.NEGATIVE_INFINITY);
    expect(jensenShannon({}, { a: 1 })).toBe(0);
    expect(surpriseOfNew([1, 2], 0)).toBe(0);
  });

  test('tails add up, fall with the count, and stay finite far out', () => {
    const means = fc.double({ min: 0.01, max: 200, noNaN: true });
    const counts = fc.integer({ min: 1, max: 400 });
    fc.assert(
      fc.property(means, counts, (mean, count) => {
        const tail = logPoissonTail(count, mean);
        expect(tail).toBeLessThanOrEqual(0);
        expect(logPoissonTail(count + 1, mean)).toBeLessThanOrEqual(tail);
        const slow = slowTail(count, (n) => n * Math.log(mean) - mean - logGamma(n + 1));
        if (slow > -600) expect(tail).toBeCloseTo(slow, 6);
      }),
      { numRuns: 60 },
    );
    expect(Number.isFinite(logPoissonTail(100_000, 0.05))).toBe(true);
    expect(Number.isFinite(logNegativeBinomialTail(100_000, 0.05, 0.05))).toBe(true);
  });

  test('a negative binomial with a large size is a Poisson count, and one with a small size has the heavier tail', () => {
    expect(logNegativeBinomialTail(15, 4, 1e7)).toBeCloseTo(logPoissonTail(15, 4), 6);
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 50, noNaN: true }),
        fc.double({ min: 0.1, max: 20, noNaN: true }),
        (mean, size) => {
          const count = Math.ceil(mean * 4) + 5;
          expect(logNegativeBinomialTail(count, mean, size)).toBeGreaterThan(logPoissonTail(count, mean) - 1e-9);
        },
      ),
    );
  });

  test('the stabilised scale goes both ways, and divergence is the same both ways and between nothing and one bit', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), (count) => {
        expect(inverseAnscombe(anscombe(count))).toBeCloseTo(count, 5);
      }),
    );
    const histogram = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'constructor'), fc.nat(1000));
    fc.assert(
      fc.property(histogram, histogram, (a, b) => {
        const bits = jensenShannon(a, b);
        expect(bits).toBeGreaterThanOrEqual(0);
        expect(bits).toBeLessThanOrEqual(1);
        expect(jensenShannon(b, a)).toBeCloseTo(bits, 12);
      }),
    );
  });
});
