import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BackupRecord, BackupState } from '../../../shared/backup/backup.ts';
import { isGood, isPresent } from '../../../shared/backup/catalogue.ts';
import { decideRetention } from '../../../shared/backup/decide-retention.ts';
import type { RetentionRule } from '../../../shared/policy/hsm-rule.ts';
import { aRecord, daysAgo, NOW } from './builders.ts';

const NONE: RetentionRule = { last: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 };
const retain = (records: BackupRecord[], rule: Partial<RetentionRule>, now = NOW) =>
  decideRetention(records, { ...NONE, ...rule }, 'UTC', now);
const daily = (count: number) => Array.from({ length: count }, (_, index) => aRecord(daysAgo(index)));
const kept = (records: BackupRecord[], rule: Partial<RetentionRule>) =>
  retain(records, rule).keep.map(({ takenOn, rules }) => `${takenOn.slice(0, 10)} ${rules.join(' ')}`);

describe('decideRetention', () => {
  it('keeps the newest of each period, and says which rule keeps it', () => {
    expect(kept(daily(40), { last: 1, daily: 2, weekly: 2, monthly: 2, yearly: 2 })).toEqual([
      '2030-01-15 last daily weekly monthly yearly Only',
      '2030-01-14 daily',
      '2030-01-13 weekly',
      '2029-12-31 monthly yearly',
    ]);
  });

  it('counts days that have a backup, not days that passed', () => {
    expect(kept([aRecord(daysAgo(0)), aRecord(daysAgo(20)), aRecord(daysAgo(40))], { daily: 2 })).toEqual([
      '2030-01-15 daily Only',
      '2029-12-26 daily',
    ]);
  });

  it('takes the day of the zone', () => {
    const late = aRecord('2030-01-14T23:30:00Z');
    const records = [aRecord('2030-01-15T10:00:00Z'), late];
    expect(decideRetention(records, { ...NONE, daily: 5 }, 'Europe/Berlin', NOW).prune).toMatchObject([
      { id: late.id },
    ]);
    expect(decideRetention(records, { ...NONE, daily: 5 }, 'UTC', NOW).prune).toEqual([]);
  });

  it.each<[string, Partial<BackupRecord>, string]>([
    ['whose lock has not ended', { lockedUntil: '2030-02-01T00:00:00Z' }, 'Locked'],
    ['that a drill proved last', { state: 'proven' }, 'LastProven'],
  ])('keeps an old one %s', (_title, changes, rule) => {
    expect(kept([aRecord(daysAgo(0)), aRecord(daysAgo(400), changes)], { last: 1 })[1]).toContain(rule);
  });

  it('lets go of an older proven one, and of one whose lock has ended', () => {
    const records = [
      aRecord(daysAgo(0)),
      aRecord(daysAgo(5), { state: 'proven' }),
      aRecord(daysAgo(9), { state: 'proven' }),
      aRecord(daysAgo(12), { lockedUntil: daysAgo(1) }),
    ];
    expect(retain(records, { last: 1 }).prune.map(({ takenOn }) => takenOn)).toEqual([daysAgo(9), daysAgo(12)]);
  });

  it('gives no place to one that was never verified or was found wanting', () => {
    const doubt = { on: daysAgo(1), drill: 'drill-7', reason: 'key a is missing.' };
    const records = [
      aRecord(daysAgo(0), { state: 'landed' }),
      aRecord(daysAgo(1)),
      aRecord(daysAgo(2), { doubt }),
      aRecord(daysAgo(3), { state: 'landed' }),
    ];
    const { keep, prune } = retain(records, { last: 4 });
    expect(keep.map(({ rules }) => rules)).toEqual([['Unfinished'], ['last', 'Only']]);
    expect(prune.map(({ explanation }) => explanation)).toEqual([
      'Drill drill-7 found it wanting: key a is missing.',
      'It was never verified, and a newer backup is.',
    ]);
  });

  it('keeps the newest of bad ones, where there are no others', () => {
    const doubt = { on: daysAgo(1), drill: 'd', reason: 'r' };
    expect(kept([aRecord(daysAgo(1), { doubt }), aRecord(daysAgo(2), { doubt })], { last: 9 })).toEqual([
      '2030-01-14 Only',
    ]);
  });
});

const aState = fc.constantFrom<BackupState>('landed', 'verified', 'locked', 'proven');
const someRecords = fc
  .uniqueArray(
    fc.record({
      days: fc.integer({ min: 0, max: 900 }),
      state: aState,
      locked: fc.option(fc.integer({ min: -50, max: 50 })),
      doubted: fc.boolean(),
      pruned: fc.boolean(),
      going: fc.boolean(),
    }),
    { selector: ({ days }) => days, maxLength: 40 },
  )
  .map((all) =>
    all.map(({ days, state, locked, doubted, pruned, going }) =>
      aRecord(daysAgo(days), {
        state,
        ...(locked === null ? {} : { lockedUntil: daysAgo(locked) }),
        ...(doubted ? { doubt: { on: daysAgo(0), drill: 'd', reason: 'r' } } : {}),
        ...(pruned && (locked === null || locked > 0) ? { prunedOn: daysAgo(0) } : {}),
        ...(going && (locked === null || locked > 0) ? { pruningSince: daysAgo(0) } : {}),
      }),
    ),
  );
const aRule = fc.record({
  last: fc.nat(5),
  daily: fc.nat(20),
  weekly: fc.nat(10),
  monthly: fc.nat(14),
  yearly: fc.nat(4),
});
const ids = (list: { id: string }[]) => list.map(({ id }) => id);

describe('the laws of retention', () => {
  const left = (records: BackupRecord[]) => records.filter(({ prunedOn }) => prunedOn === undefined);
  const present = (records: BackupRecord[]) => records.filter(isPresent);

  it('parts what is there into kept and pruned, and never keeps nothing', () => {
    fc.assert(
      fc.property(someRecords, aRule, (records, rule) => {
        const { keep, prune } = retain(records, rule);
        expect([...ids(keep), ...ids(prune)].sort()).toEqual(ids(left(records)).sort());
        expect(keep.length > 0).toBe(present(records).length > 0);
        expect(keep.every(({ rules }) => rules.length > 0)).toBe(true);
      }),
    );
  });

  it('never prunes one that is locked, the last proven one, or the only good one', () => {
    fc.assert(
      fc.property(someRecords, aRule, (records, rule) => {
        const gone = new Set(ids(retain(records, rule).prune));
        const good = present(records).filter(isGood);
        for (const { id, lockedUntil } of present(records)) {
          if (lockedUntil !== undefined && Date.parse(lockedUntil) > NOW.getTime()) expect(gone.has(id)).toBe(false);
        }
        expect(good.length === 0 || good.some(({ id }) => !gone.has(id))).toBe(true);
        const proven = good.filter(({ state }) => state === 'proven');
        expect(proven.length === 0 || proven.some(({ id }) => !gone.has(id))).toBe(true);
      }),
    );
  });

  it('ends what it began: what is being removed takes no place and is kept by no rule', () => {
    fc.assert(
      fc.property(someRecords, aRule, (records, rule) => {
        const { keep, prune } = retain(records, rule);
        const going = records.filter(({ pruningSince, prunedOn }) => pruningSince !== undefined && !prunedOn);
        expect(ids(prune)).toEqual(expect.arrayContaining(ids(going)));
        expect(keep).toEqual(retain(records.filter(isPresent), rule).keep);
      }),
    );
  });

  it('is idempotent: once pruned, nothing more goes', () => {
    fc.assert(
      fc.property(someRecords, aRule, (records, rule) => {
        const first = retain(records, rule);
        const left = records.filter(({ id }) => !ids(first.prune).includes(id));
        expect(retain(left, rule)).toEqual({ keep: first.keep, prune: [] });
      }),
    );
  });

  it('is monotone: a rule that keeps more never prunes what one that keeps less would keep', () => {
    fc.assert(
      fc.property(someRecords, aRule, aRule, (records, rule, more) => {
        const larger = Object.fromEntries(
          Object.entries(rule).map(([name, count]) => [name, count + more[name as keyof RetentionRule]]),
        );
        const keptByLess = ids(retain(records, rule).keep);
        expect(ids(retain(records, larger).keep)).toEqual(expect.arrayContaining(keptByLess));
      }),
    );
  });

  it('keeps nothing longer because time passes', () => {
    fc.assert(
      fc.property(someRecords, aRule, fc.nat(100), (records, rule, days) => {
        const later = new Date(NOW.getTime() + days * 86_400_000);
        expect(ids(retain(records, rule).keep)).toEqual(expect.arrayContaining(ids(retain(records, rule, later).keep)));
      }),
    );
  });
});
