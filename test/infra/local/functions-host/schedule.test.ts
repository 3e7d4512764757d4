import { describe, expect, test } from 'vitest';
import { isSubMinute, parseSchedule } from '../../../../infra/local/functions-host/schedule.ts';
import { expandSettings, parseTimeSpan } from '../../../../infra/local/functions-host/settings.ts';

const from = new Date('2030-01-01T00:00:00Z'); // a Tuesday

describe('a schedule', () => {
  test.each([
    ['0 */5 * * * *', '2030-01-01T00:05:00.000Z'],
    ['30 0 2 * * *', '2030-01-01T02:00:30.000Z'],
    ['0 0 2 * * MON-FRI', '2030-01-01T02:00:00.000Z'],
    ['0 0 0 13 * FRI', '2030-09-13T00:00:00.000Z'],
    ['0 0 0 1 1 *', '2031-01-01T00:00:00.000Z'],
    ['*/5 * * * *', '2030-01-01T00:05:00.000Z'],
    ['00:05:00', '2030-01-01T00:05:00.000Z'],
    ['1.00:00:00', '2030-01-02T00:00:00.000Z'],
  ])('%s comes next at %s', (text, next) => {
    expect(parseSchedule(text).next(from)?.toISOString()).toBe(next);
  });

  test.each(['', '@daily', '0 0 0 L * *', '0 0 0 ? * MON', '* * * *', '00:00:00', '0 0 25 * * *'])(
    '%s is refused',
    (text) => {
      expect(() => parseSchedule(text)).toThrow();
    },
  );

  test('under a minute is told apart', () => {
    expect(isSubMinute(parseSchedule('*/10 * * * * *'), from)).toBe(true);
    expect(isSubMinute(parseSchedule('0 * * * * *'), from)).toBe(false);
  });
});

test('time spans are read in milliseconds', () => {
  expect(parseTimeSpan('1.02:03:04.5')).toBe(93_784_500);
  expect(parseTimeSpan('5 minutes')).toBeUndefined();
});

test('settings expand wherever they stand, and an absent one is named', () => {
  expect(expandSettings('a-%X%-%Y%', { X: '1', Y: '2' })).toBe('a-1-2');
  expect(() => expandSettings('%Z%', {})).toThrow("'%Z%' does not resolve");
});
