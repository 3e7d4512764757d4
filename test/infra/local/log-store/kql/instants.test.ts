import { expect, test } from 'vitest';
import { ticksOfDate } from '../../../../../infra/local/log-store/kql/time.ts';
import { run, tableOf } from './support.ts';

test('queries that differ in their instants alone each read their own', () => {
  const rows = tableOf(
    'Events',
    [['At', 'datetime']],
    [[ticksOfDate(new Date('2026-03-01T10:00:00Z'))], [ticksOfDate(new Date('2026-03-02T10:00:00Z'))]],
  );
  const since = (instant: string) => run(`Events | where At >= datetime(${instant}) | count`, [rows]).rows;
  expect(since('2026-03-01T00:00:00Z')).toEqual([[2]]);
  expect(since('2026-03-02T00:00:00Z')).toEqual([[1]]);
  expect(since('2026-03-03T00:00:00Z')).toEqual([[0]]);
});
