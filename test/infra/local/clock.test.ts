import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createClock } from '../../../infra/local/clock.ts';
import { durationMs } from '../../../infra/local/duration.ts';

const DAY = 86_400_000;
const START = Date.parse('2030-01-01T00:00:00Z');
const settled = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('The estate clock', () => {
  test('runs with real time, ahead by its offset', () => {
    let real = START;
    const clock = createClock(() => real, 5 * DAY);
    real += 1000;
    expect(clock.now().getTime()).toBe(START + 5 * DAY + 1000);
  });

  test('can be set to an instant, in the past too', () => {
    const clock = createClock(() => START);
    clock.set(new Date('2029-06-01T12:00:00Z'));
    expect(clock.now().toISOString()).toBe('2029-06-01T12:00:00.000Z');
    expect(clock.offsetMs).toBeLessThan(0);
  });

  test('tells every move with the new offset, until the listener has had enough', () => {
    const clock = createClock(() => START);
    const heard: number[] = [];
    const stop = clock.onMove((offset) => heard.push(offset));
    clock.advance(DAY);
    clock.advance(DAY);
    stop();
    clock.advance(DAY);
    expect(heard).toEqual([DAY, 2 * DAY]);
  });

  test('acts exactly once, never before its time, whatever moves lead there', async () => {
    const moves = fc.array(fc.integer({ min: -40 * DAY, max: 400 * DAY }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 300 * DAY }), moves, async (due, steps) => {
        const clock = createClock(() => START);
        const seen: number[] = [];
        let reached = false;
        const cancel = clock.at(new Date(START + due), () => seen.push(clock.now().getTime()));
        for (const step of steps) {
          clock.advance(step);
          reached ||= clock.offsetMs >= due;
          await settled();
          expect(seen.length).toBe(reached ? 1 : 0);
        }
        cancel();
        for (const time of seen) expect(time).toBeGreaterThanOrEqual(START + due);
      }),
      { numRuns: 60 },
    );
  });

  test('acts when real time alone gets there', async () => {
    const clock = createClock(Date.now);
    await new Promise<void>((resolve) => clock.at(new Date(Date.now() + 20), resolve));
  });

  test('does not act once cancelled, even when the time had come', async () => {
    const clock = createClock(() => START);
    let acted = false;
    const cancel = clock.at(new Date(START + DAY), () => {
      acted = true;
    });
    clock.advance(2 * DAY);
    cancel();
    await settled();
    expect(acted).toBe(false);
  });
});

describe('A duration', () => {
  const from = new Date('2030-01-31T00:00:00Z');
  for (const [text, ms] of [
    ['P1D', DAY],
    ['-P2W', -14 * DAY],
    ['PT1H30M', 5_400_000],
    ['PT0.5S', 500],
    ['P1Y', 365 * DAY],
  ] as const) {
    test(`${text} is ${ms} ms`, () => expect(durationMs(text, from)).toBe(ms));
  }

  for (const text of ['', 'P', 'PT', 'P1DT', '1D', 'P1.5D', 'tomorrow']) {
    test(`is not "${text}"`, () => expect(durationMs(text, from)).toBeUndefined());
  }
});
