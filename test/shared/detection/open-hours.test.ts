import { describe, expect, test } from 'vitest';
import type { CallGroup } from '../../../shared/detection/audit-call.ts';
import type { Finding } from '../../../shared/detection/finding.ts';
import type { DetectionMemory, SeriesMemory } from '../../../shared/detection/memory.ts';
import { aCall, aRule, detect, grownMemory, STORAGE, someFacts } from './builders.ts';

const HOUR = Math.floor(Date.parse('2026-03-12T10:00:00Z') / 3_600_000);
const ID = `pay-01 ${STORAGE} crypto.unprotect`;

/** Four weeks of twenty calls an hour, closed up to the hour before that of the calls. */
const steady = (): SeriesMemory => ({
  start: HOUR - 28 * 24,
  counts: Array.from({ length: 28 * 24 }, (_, hour) => 18 + (hour % 5)),
  centres: Array<number>(48).fill(20),
  moved: Array<number>(48).fill(Math.floor(HOUR / 24)),
  drift: 0,
  z: 0,
});

const at = (minute: number, over: Partial<CallGroup> = {}): CallGroup => {
  const first = new Date(HOUR * 3_600_000 + minute * 60_000).toISOString();
  return aCall({
    first,
    last: new Date(Date.parse(first) + 30_000).toISOString(),
    correlationIds: ['a', 'b'],
    ...over,
  });
};
const windowOf = (minute: number, calls: CallGroup[]) =>
  someFacts({ now: new Date(HOUR * 3_600_000 + minute * 60_000).toISOString(), calls });
const told = (findings: Finding[]) =>
  findings.filter(({ detector, suppressed }) => detector === 'volume-out-of-season' && suppressed === undefined);

describe('an hour that is not over', () => {
  test('is told as soon as it has more than the whole hour ever has, and the closed hour is the same finding', () => {
    const first = detect(windowOf(7, [at(2, { count: 30 })]), grownMemory({ series: { [ID]: steady() } }), aRule());
    expect(told(first.findings)).toEqual([]);
    const second = detect(windowOf(17, [at(12, { count: 200 })]), first.memory, aRule());
    expect(told(second.findings)).toMatchObject([
      {
        severity: 'High',
        title: expect.stringMatching(/230 times in an hour with .*pay-01.*, and the hour is not over$/),
      },
    ]);
    const hour = { hsm: 'contoso-hsm', key: 'pay-01', caller: { oid: STORAGE }, class: 'crypto.unprotect' } as const;
    const closing = { ...hour, verb: 'unwrapkey', hour: new Date(HOUR * 3_600_000).toISOString(), count: 260 };
    const third = detect({ ...windowOf(75, []), hours: [closing] }, second.memory, aRule());
    expect(told(third.findings).map((finding) => finding.id)).toEqual(
      told(second.findings).map((finding) => finding.id),
    );
    expect(third.memory.series[ID]?.open ?? []).toEqual([]);
  });

  test('teaches nothing, and is none of a series that is not known', () => {
    const before = grownMemory({ series: { [ID]: steady() } });
    const { memory } = detect(windowOf(7, [at(2, { count: 25 }), at(3, { key: 'other' })]), before, aRule());
    expect(memory.series[ID]).toEqual({ ...steady(), open: [{ hour: HOUR, count: 25 }] });
    expect(Object.keys(memory.series)).toEqual([ID]);
  });

  test('counts no refusals, no reads, and no rows of an hour that was closed', () => {
    const calls = [
      at(2, { count: 500, outcome: 'denied', status: 403 }),
      at(3, { count: 500, class: 'read.key' }),
      at(-30, { count: 500 }),
    ];
    const { findings, memory } = detect(windowOf(7, calls), grownMemory({ series: { [ID]: steady() } }), aRule());
    expect(told(findings)).toEqual([]);
    expect(memory.series[ID]?.open ?? []).toEqual([]);
  });

  test('keeps few hours open, however long the log is behind', () => {
    let memory: DetectionMemory = grownMemory({ series: { [ID]: steady() } });
    for (let hour = 0; hour < 30; hour += 1)
      ({ memory } = detect(windowOf(hour * 60 + 7, [at(hour * 60 + 2, { count: 12 })]), memory, aRule()));
    expect(memory.series[ID]?.open?.length).toBeLessThanOrEqual(8);
  });
});
