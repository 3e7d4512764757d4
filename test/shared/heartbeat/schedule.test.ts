import { Cron } from 'croner';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextOccurrence } from '../../../shared/heartbeat/schedule.ts';

const next = (schedule: string, after: string) => nextOccurrence(schedule, new Date(after))?.toISOString();

describe('the next run of a schedule', () => {
  test.each([
    ['0 */15 * * * *', '2030-01-01T00:00:00Z', '2030-01-01T00:15:00.000Z'],
    ['0 5-59/15 * * * *', '2030-01-01T23:51:00Z', '2030-01-02T00:05:00.000Z'],
    ['0 17 3 * * *', '2030-01-01T03:17:00.500Z', '2030-01-02T03:17:00.000Z'],
    ['0 0 0 29 2 *', '2030-01-01T00:00:00Z', '2032-02-29T00:00:00.000Z'],
    ['30 0 9 * Jan Mon-Fri', '2030-01-04T09:00:30Z', '2030-01-07T09:00:30.000Z'],
    ['0 0 12 13 * Fri', '2030-01-01T00:00:00Z', '2030-09-13T12:00:00.000Z'],
    ['0 0 8,20 * * *', '2030-01-01T08:00:00Z', '2030-01-01T20:00:00.000Z'],
  ])('of %s after %s is %s', (schedule, after, expected) => {
    expect(next(schedule, after)).toBe(expected);
  });

  test.each([
    '',
    '* * * * *',
    '0 60 * * * *',
    '0 0 0 31 2 *',
    '0 5-1 * * * *',
    '0 */0 * * * *',
    '0 x * * * *',
    '@daily',
  ])('of %j is none', (schedule) => {
    expect(next(schedule, '2030-01-01T00:00:00Z')).toBeUndefined();
  });

  test('agrees with the library that the embedded host runs timers by', () => {
    const field = (least: number, most: number) =>
      fc.oneof(
        fc.constant('*'),
        fc.integer({ min: least, max: most }).map(String),
        fc
          .tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }))
          .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
        fc.integer({ min: 1, max: most }).map((step) => `*/${step}`),
        fc.array(fc.integer({ min: least, max: most }), { minLength: 2, maxLength: 3 }).map((all) => all.join(',')),
      );
    const schedules = fc
      .tuple(field(0, 59), field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6))
      .map((fields) => fields.join(' '));
    const instants = fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2040-01-01') });
    fc.assert(
      fc.property(schedules, instants, (schedule, after) => {
        const cron = new Cron(schedule, { timezone: 'UTC', domAndDow: true, paused: true });
        expect(next(schedule, new Date(after).toISOString())).toBe(cron.nextRun(new Date(after))?.toISOString());
      }),
      { numRuns: 300 },
    );
  });
});
