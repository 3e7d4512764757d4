import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BACKUP_STATES, type BackupRecord } from '../../../shared/backup/backup.ts';
import { advanceBackup, type BackupProgress, isGood, isPresent } from '../../../shared/backup/catalogue.ts';
import { judgeFreshness } from '../../../shared/backup/freshness.ts';
import { judgeRegion } from '../../../shared/backup/geography.ts';
import { BUILT_IN_HSM_RULE } from '../../../shared/policy/hsm-rule.ts';
import { aRecord, daysAgo, NOW } from './builders.ts';

const COPY = { container: 'https://vault.example/hsm', folder: 'f', region: 'northeurope' };
const VERIFIED: BackupProgress = { kind: 'verified', on: daysAgo(3), copy: COPY, manifest: { path: 'm', sha256: 's' } };
const LOCKED: BackupProgress = { kind: 'locked', on: daysAgo(2), until: daysAgo(-30) };
const PROVEN: BackupProgress = { kind: 'proven', on: daysAgo(1), drill: 'drill-1' };

const advance = (record: BackupRecord, ...all: BackupProgress[]): BackupRecord =>
  all.reduce((current, progress) => {
    const next = advanceBackup(current, progress);
    if (next.kind === 'refused') throw new Error(next.explanation);
    return next.record;
  }, record);

describe('advanceBackup', () => {
  const landed = aRecord(daysAgo(4), { state: 'landed' });

  it('goes from landed over verified and locked to proven, and remembers when', () => {
    const proven = advance(landed, VERIFIED, LOCKED, PROVEN);
    expect(proven).toMatchObject({ state: 'proven', copy: COPY, lockedUntil: daysAgo(-30), provenBy: 'drill-1' });
    expect(proven.reachedOn).toEqual({
      landed: daysAgo(4),
      verified: daysAgo(3),
      locked: daysAgo(2),
      proven: daysAgo(1),
    });
  });

  it.each<[string, BackupRecord, BackupProgress]>([
    ['a lock before the copy is verified', landed, LOCKED],
    ['a proof before the copy is locked', advance(landed, VERIFIED), PROVEN],
    ['a lock that would be shortened', advance(landed, VERIFIED, LOCKED), { ...LOCKED, until: daysAgo(-29) }],
    ['the removal of a locked copy', advance(landed, VERIFIED, LOCKED), { kind: 'pruned', on: daysAgo(0) }],
    ['the removal of a locked copy to begin', advance(landed, VERIFIED, LOCKED), { kind: 'pruning', on: daysAgo(0) }],
    ['a proof of what is being removed', advance(landed, { kind: 'pruning', on: daysAgo(1) }), PROVEN],
    ['anything once it was removed', advance(landed, { kind: 'pruned', on: daysAgo(1) }), VERIFIED],
  ])('refuses %s', (_title, record, progress) => {
    expect(advanceBackup(record, progress)).toMatchObject({ kind: 'refused' });
  });

  it('doubts what a drill found wanting, until one passes', () => {
    const doubted = advance(landed, VERIFIED, LOCKED, { kind: 'doubted', on: daysAgo(1), drill: 'd', reason: 'r' });
    expect(doubted).toMatchObject({ state: 'locked', doubt: { drill: 'd' } });
    expect(advance(doubted, PROVEN)).not.toHaveProperty('doubt');
  });

  it('is neither good nor present from the moment when its removal begins, which it remembers', () => {
    const verified = advance(landed, VERIFIED);
    const going = advance(verified, { kind: 'pruning', on: daysAgo(1) }, { kind: 'pruning', on: daysAgo(0) });
    expect(going.pruningSince).toBe(daysAgo(1));
    expect([isGood(verified), isGood(going), isPresent(going)]).toEqual([true, false, false]);
    expect(advance(going, { kind: 'pruned', on: daysAgo(0) })).toMatchObject({ prunedOn: daysAgo(0) });
  });

  it('never falls back, whatever comes in whatever order', () => {
    const any = fc.constantFrom<BackupProgress>(VERIFIED, LOCKED, PROVEN, {
      kind: 'doubted',
      on: daysAgo(0),
      drill: 'd',
      reason: 'r',
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 8 }), (all) => {
        let record = landed;
        for (const progress of all) {
          const next = advanceBackup(record, progress);
          if (next.kind === 'refused') continue;
          expect(BACKUP_STATES.indexOf(next.record.state)).toBeGreaterThanOrEqual(BACKUP_STATES.indexOf(record.state));
          record = next.record;
        }
      }),
    );
  });
});

describe('judgeFreshness', () => {
  const rule = { backup: BUILT_IN_HSM_RULE.backup, drills: BUILT_IN_HSM_RULE.drills };
  const judge = (records: BackupRecord[] | undefined, watchedDays = 400) =>
    judgeFreshness({ records, rule, watchedSince: daysAgo(watchedDays), now: NOW });
  const states = (...of: Parameters<typeof judge>) => {
    const { created, verified, proven } = judge(...of);
    return [created.state, verified.state, proven.state];
  };
  const provenAt = (days: number) =>
    aRecord(daysAgo(days + 1), { state: 'proven', reachedOn: { proven: daysAgo(days) } });

  it.each<[string, BackupRecord[] | undefined, number, string[]]>([
    ['all is well', [aRecord(daysAgo(1)), provenAt(50)], 400, ['ok', 'ok', 'ok']],
    [
      'the newest is not verified',
      [aRecord(daysAgo(1), { state: 'landed' }), provenAt(50)],
      400,
      ['ok', 'overdue', 'ok'],
    ],
    ['the proof is too old', [aRecord(daysAgo(1)), provenAt(101)], 400, ['ok', 'ok', 'overdue']],
    ['there never was one', [], 400, ['overdue', 'overdue', 'overdue']],
    ['there could not be one yet', [], 1, ['unknown', 'unknown', 'unknown']],
    ['the catalogue cannot be read', undefined, 400, ['unknown', 'unknown', 'unknown']],
    ['it is due this very instant', [aRecord(daysAgo(2))], 10, ['ok', 'ok', 'unknown']],
  ])('when %s', (_title, records, watched, expected) => {
    expect(states(records, watched)).toEqual(expected);
  });

  it('counts a backup that a drill found wanting for created and for nothing else', () => {
    const doubt = { on: daysAgo(0), drill: 'd', reason: 'r' };
    expect(states([aRecord(daysAgo(1), { state: 'proven', doubt })])).toEqual(['ok', 'overdue', 'overdue']);
  });

  it('shows last created beside last proven', () => {
    expect(judge([aRecord(daysAgo(1)), provenAt(120)]).summary).toBe(
      'Last created 2030-01-14T12:00:00Z, last verified 2030-01-14T12:00:00Z, last proven 2029-09-17T12:00:00Z (overdue).',
    );
  });

  it('never turns better by waiting', () => {
    const rank = { ok: 0, unknown: 1, overdue: 2 };
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), (a, b) => {
        const records = [aRecord(daysAgo(1))];
        const at = (days: number) =>
          judgeFreshness({
            records,
            rule,
            watchedSince: daysAgo(10),
            now: new Date(NOW.getTime() + days * 86_400_000),
          });
        const [early, late] = [at(Math.min(a, b)), at(Math.max(a, b))];
        expect(rank[late.verified.state]).toBeGreaterThanOrEqual(rank[early.verified.state]);
        expect(rank[late.proven.state]).toBeGreaterThanOrEqual(rank[early.proven.state]);
      }),
    );
  });
});

describe('judgeRegion', () => {
  it.each<[string, string[], string | undefined, string]>([
    ['allows a named region', ['westeurope', 'northeurope'], 'northeurope', 'allowed'],
    ['knows a region by its display name', ['westeurope', 'northeurope'], 'North Europe', 'allowed'],
    ['refuses a region that nobody named', ['westeurope'], 'eastus', 'refused'],
    ['allows home alone when nothing is named', [], 'northeurope', 'refused'],
    ['does not guess a region', ['westeurope'], undefined, 'unknown'],
  ])('%s', (_title, regions, copy, kind) => {
    expect(judgeRegion({ regions }, 'westeurope', copy).kind).toBe(kind);
  });

  it('warns when the copy would be lost with the HSM', () => {
    expect(judgeRegion({ regions: [] }, 'West Europe', 'westeurope')).toHaveProperty('warning');
    expect(judgeRegion({ regions: ['westeurope', 'northeurope'] }, 'westeurope', 'northeurope')).not.toHaveProperty(
      'warning',
    );
  });
});
