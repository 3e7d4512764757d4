import { describe, expect, test } from 'vitest';
import type { HourVolume } from '../../../shared/detection/audit-call.ts';
import { volumeOutOfSeason } from '../../../shared/detection/detectors/volume-out-of-season.ts';
import { emptyMemory, MEMORY_LIMITS, type SeriesMemory } from '../../../shared/detection/memory.ts';
import type { Scene } from '../../../shared/detection/scene.ts';
import { readVolumes, type VolumeSettings } from '../../../shared/detection/volumes.ts';
import { aRule, STORAGE } from './builders.ts';

const ID = `pay-01 ${STORAGE} crypto.unprotect`;
/** A Monday. */
const START = Math.floor(Date.parse('2026-02-02T00:00:00Z') / 3_600_000);

const settings = (over: Partial<VolumeSettings> = {}): VolumeSettings => ({
  rule: aRule(),
  quarantined: () => false,
  allowance: () => ({ allowance: 0, openings: 1 }),
  isBatch: () => false,
  ...over,
});

const volume = (hour: number, count: number): HourVolume => ({
  hsm: 'contoso-hsm',
  key: 'pay-01',
  caller: { oid: STORAGE },
  class: 'crypto.unprotect',
  verb: 'unwrapkey',
  hour: new Date((START + hour) * 3_600_000).toISOString(),
  count,
});

/** Feeds hours from the start on; the last reading and what was learnt. */
function feed(hours: number, countAt: (hour: number) => number, over: Partial<VolumeSettings> = {}, last?: number) {
  const given = Array.from({ length: hours }, (_, hour) => volume(hour, countAt(hour)));
  if (last !== undefined) given.push(volume(hours, last));
  const { readings, series } = readVolumes(
    { hours: given.filter(({ count }) => count > 0) },
    emptyMemory(),
    settings(over),
  );
  return { reading: readings.at(-1), readings, series: series[ID] as SeriesMemory };
}

const steady = (hour: number) => 100 + (hour % 7) * 3;

describe('hours against what is usual', () => {
  test('say nothing before the hour has four earlier days of its type', () => {
    expect(feed(24 * 3, steady).reading?.z).toBeUndefined();
    expect(feed(24 * 8, steady, {}, 100).reading?.z).toBeDefined();
  });

  test('find ten times the usual extreme, and the usual usual', () => {
    expect(feed(24 * 28, steady, {}, 1000).reading?.z).toBeGreaterThan(10);
    expect(Math.abs(feed(24 * 28, steady, {}, 108).reading?.z ?? 99)).toBeLessThan(2);
  });

  test('compare a weekend with weekends, so that a working day does not excuse it', () => {
    const weekly = (hour: number) => (Math.floor(hour / 24) % 7 >= 5 ? 10 : 500);
    const saturday = 24 * 26;
    expect(feed(saturday, weekly, {}, 12).reading?.z).toBeLessThan(4);
    // The neighbours of midnight are Fridays, which are compared with Saturdays alike.
    expect(feed(saturday + 12, weekly, {}, 500).reading?.z).toBeGreaterThan(10);
  });

  test('excuse a listed holiday from being a working day', () => {
    const rule = aRule({ calendar: { ...aRule().calendar, holidays: ['2026-02-23'] } });
    const quietOnHoliday = (hour: number) =>
      Math.floor(hour / 24) % 7 >= 5 || Math.floor(hour / 24) === 21 ? 10 : 500;
    const { readings } = feed(24 * 22, quietOnHoliday, { rule });
    expect(Math.max(...readings.slice(-24).map(({ z }) => z ?? 0))).toBeLessThan(4);
  });

  test('see a slow drip in what no single hour shows', () => {
    const four = (hour: number) => [3, 4, 5, 4, 3, 6][hour % 6] as number;
    const { readings } = feed(24 * 28 + 30, (hour) => four(hour) + (hour >= 24 * 28 ? 6 : 0));
    expect(readings.slice(0, -30).some(({ drift }) => drift !== undefined)).toBe(false);
    expect(readings.slice(-30).some(({ drift }) => drift !== undefined)).toBe(true);
    expect(Math.max(...readings.slice(-30).map(({ z }) => z ?? 0))).toBeLessThan(6);
  });

  test('learn an hour at most as large as one that would be told', () => {
    const { series } = feed(24 * 28, steady, {}, 1_000_000);
    expect(series.counts.at(-1)).toBeLessThan(300);
    expect(feed(24 * 28, steady, { quarantined: () => true }, 1_000_000).series.counts.at(-1)).toBeLessThanOrEqual(120);
  });

  test('let what is usual move by a fifth a day at most', () => {
    const { readings } = feed(24 * 40, (hour) => (hour < 24 * 20 ? 100 : 400));
    const daily = readings.filter(({ hour }) => (hour - START) % 24 === 12 && Math.floor((hour - START) / 24) % 7 < 5);
    const usual = daily.map(({ usual }) => usual).filter((value) => value !== undefined);
    for (const [index, value] of usual.entries()) {
      if (index > 0) expect(value).toBeLessThanOrEqual(((usual[index - 1] as number) + 2) * 1.2 ** 3 + 1);
    }
  });

  test('let a failover through once in a day, and no second', () => {
    const allowance = () => ({ allowance: 120, openings: 1 });
    const first = feed(24 * 28, () => 5, { allowance }, 100);
    expect(first.reading?.allowed).toBe(true);
    const again = readVolumes(
      { hours: [volume(24 * 28 + 3, 100)] },
      { series: { [ID]: first.series } },
      settings({ allowance }),
    );
    expect(again.readings[0]?.allowed).toBe(false);
  });

  test('let SQL fail over and back within a day, and no third time', () => {
    const allowance = () => ({ allowance: 120, openings: 2 });
    let { series } = feed(24 * 28, () => 5, { allowance });
    const allowed = [0, 5, 10].map((hour) => {
      const read = readVolumes(
        { hours: [volume(24 * 28 + hour, 100)] },
        { series: { [ID]: series } },
        settings({ allowance }),
      );
      series = read.series[ID] as SeriesMemory;
      return read.readings[0]?.allowed;
    });
    expect(allowed).toEqual([true, true, false]);
  });

  test('see a burst that goes on after its allowance was used as one of two hours', () => {
    const allowance = () => ({ allowance: 50, openings: 1 });
    const { series } = feed(24 * 28, () => 5, { allowance }, 36);
    const next = readVolumes(
      { hours: [volume(24 * 28 + 1, 34)] },
      { series: { [ID]: series } },
      settings({ allowance }),
    );
    expect(next.readings[0]).toMatchObject({ allowed: false });
    expect(next.readings[0]?.zBefore).toBeGreaterThan(4);
  });

  test('let a small burst of a rare key through as well as a large one', () => {
    const rare = (hour: number) => 1 + (hour % 2);
    const allowance = () => ({ allowance: 50, openings: 1 });
    expect(feed(24 * 28, rare, { allowance }, 12).reading).toMatchObject({ allowed: true });
    expect(feed(24 * 28, rare, {}, 12).reading).toMatchObject({ allowed: false });
  });

  test('believe a busy day of the calendar as far as the day has been busy', () => {
    // The last day of a month may be three times as busy, says the calendar; this series never was.
    const rule = aRule({ calendar: { ...aRule().calendar, monthEnd: { lastDays: 1, firstDays: 0, factor: 3 } } });
    const lastOfMonth = 24 * 26;
    const asEver = feed(lastOfMonth + 12, () => 200, { rule }, 500);
    expect(asEver.reading?.usual).toBeLessThan(350);
    expect(asEver.reading?.z).toBeGreaterThan(5);
    const busier = feed(lastOfMonth + 12, (hour) => (hour >= lastOfMonth ? 560 : 200), { rule }, 560);
    expect(busier.reading?.z).toBeLessThan(4);
  });

  test('tell a lasting step of a busy series once', () => {
    const scattered = (hour: number) => 400 + ((hour * 7919) % 61) + (Math.floor(hour / 24) % 5) * 20;
    const { readings } = feed(24 * 28 + 40, (hour) => Math.round(scattered(hour) * (hour >= 24 * 28 + 8 ? 1.4 : 1)));
    expect(readings.slice(0, 24 * 28).some(({ shift }) => shift !== undefined)).toBe(false);
    expect(readings.slice(24 * 28).filter(({ shift }) => shift !== undefined)).toHaveLength(1);
  });

  test('let no burst through that exceeds the allowance because a part of it fell into the hour before', () => {
    const ends = (hour: number) => (hour === 24 * 28 - 1 ? 14 : 5);
    expect(feed(24 * 28, () => 5, { allowance: () => ({ allowance: 50, openings: 1 }) }, 50).reading?.allowed).toBe(
      true,
    );
    expect(feed(24 * 28, ends, { allowance: () => ({ allowance: 50, openings: 1 }) }, 50).reading?.allowed).toBe(false);
  });

  test('take nothing that a busy day left behind for a drift of its quiet evening', () => {
    const busyByDay = (hour: number) => (hour % 24 >= 8 && hour % 24 < 18 ? 400 : 10);
    // A day with a seventh more, as days of people differ.
    const { readings } = feed(24 * 25 + 24, (hour) => Math.round(busyByDay(hour) * (hour >= 24 * 25 ? 1.14 : 1)));
    expect(readings.slice(-24).filter(({ drift }) => drift !== undefined)).toEqual([]);
  });

  test('know a night job by its earlier runs, one for a batch and two for anybody', () => {
    const runs = (hour: number) => (hour === 26 || hour === 24 * 9 + 2 ? 5000 : hour === 0 ? 1 : 0);
    const night = 24 * 20 + 1;
    const padded = (hour: number) => (hour < night ? runs(hour) : 0);
    expect(feed(night, padded, { isBatch: () => true }, 5200).reading?.allowed).toBe(true);
    expect(feed(night, padded, {}, 20_000).reading?.allowed).toBe(false);
    // The earlier run fell into two hours; this one fits in one.
    const split = (hour: number) => (hour === 24 * 9 + 2 || hour === 24 * 9 + 3 ? 2500 : hour === 0 ? 1 : 0);
    expect(feed(night, split, { isBatch: () => true }, 5200).reading?.allowed).toBe(true);
    // A series that begins with its first run.
    const begins = (hour: number) => (hour === 2 ? 5000 : 0);
    expect(feed(night, begins, { isBatch: () => true }, 5200).reading?.allowed).toBe(true);
    expect(feed(24 * 20 + 12, padded, { isBatch: () => true }, 5200).reading?.allowed).toBe(false);
  });

  test('know a batch by a run of the month before, and where two of four nights alike had one', () => {
    const monthly = (hour: number) => (hour === 2 || hour % 24 === 0 ? (hour === 2 ? 5000 : 1) : 0);
    expect(feed(24 * 31 + 2, monthly, { isBatch: () => true }, 5200).reading?.allowed).toBe(true);
    expect(feed(24 * 36 + 2, monthly, { isBatch: () => true }, 5200).reading?.allowed).toBe(false);
    const saturdays = (hour: number) => (hour === 24 * 5 + 1 || hour === 24 * 12 + 1 ? 5000 : hour % 24 === 0 ? 1 : 0);
    const third = feed(24 * 19 + 1, saturdays, { isBatch: () => true }, 5200);
    expect(third.reading?.usual).toBeGreaterThan(100);
    expect(third.reading?.allowed).toBe(true);
  });

  test.each([
    ['two hours in a row of a series whose hours are their own', 4.5, undefined, 1],
    ['the same of one whose days are busy as wholes', 4.5, true, 0],
    ['two that are busier still', 5.5, true, 1],
  ] as const)('tell %s: z %d', (_, z, busy, findings) => {
    const reading = { key: 'pay-01', who: STORAGE, caller: { oid: STORAGE }, class: 'crypto.unprotect' as const };
    const scene = {
      ...{ rule: aRule(), age: 30, facts: { now: '2026-03-12T10:05:00Z' } },
      volumes: [
        {
          ...{ ...reading, hour: START, count: 100, usual: 40, z, zBefore: z, most: 90, days: 28, allowed: false },
          ...(busy && { busy }),
        },
      ],
    };
    expect(volumeOutOfSeason.evaluate(scene as unknown as Scene)).toHaveLength(findings);
  });

  test('keep 28 days of a series, and so many series', () => {
    expect(feed(24 * 40, steady).series.counts).toHaveLength(MEMORY_LIMITS.days * 24);
    const flood = Array.from({ length: MEMORY_LIMITS.series + 50 }, (_, index) => ({
      ...volume(0, 5),
      key: `key-${index}`,
    }));
    const { series } = readVolumes({ hours: flood }, emptyMemory(), settings());
    expect(Object.keys(series)).toHaveLength(MEMORY_LIMITS.series);
  });
});
