import { describe, expect, test } from 'vitest';
import { randomFor } from '../../../infra/traffic/random.ts';

const SIZE = 20_000;
const draw = (from: () => number) => Array.from({ length: SIZE }, from);
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const variance = (values: number[]) => {
  const middle = mean(values);
  return mean(values.map((value) => (value - middle) ** 2));
};

describe('chance', () => {
  test('is the same for the same name and another for another', () => {
    const [a, b, c] = ['storage', 'storage', 'sql'].map((name) => draw(randomFor(1, name).next));
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
  });

  test.each([0.3, 4, 35, 200, 5000])('counts events with mean and variance %d', (wanted) => {
    const random = randomFor('poisson', wanted);
    const values = draw(() => random.poisson(wanted));
    expect(mean(values) / wanted).toBeCloseTo(1, 1);
    expect(variance(values) / wanted).toBeGreaterThan(0.9);
    expect(variance(values) / wanted).toBeLessThan(1.1);
  });

  test('spreads a negative binomial by its dispersion', () => {
    const random = randomFor('negative binomial');
    const values = draw(() => random.negativeBinomial(5, 10));
    expect(mean(values)).toBeCloseTo(5, 0);
    expect(variance(values)).toBeGreaterThan(6.7);
    expect(variance(values)).toBeLessThan(8.3);
  });

  test('shuffles without losing anything', () => {
    const items = Array.from({ length: 50 }, (_, index) => index);
    const shuffled = randomFor('shuffle').shuffled(items);
    expect(shuffled).not.toEqual(items);
    expect(shuffled.toSorted((a, b) => a - b)).toEqual(items);
  });
});
