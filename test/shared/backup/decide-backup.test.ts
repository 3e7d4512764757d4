import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BackupAttempt } from '../../../shared/backup/backup.ts';
import { type BackupInput, decideBackup } from '../../../shared/backup/decide-backup.ts';
import { slotAfter, slotAtOrBefore, slotsBetween } from '../../../shared/backup/schedule.ts';
import { addDuration, toIso } from '../../../shared/time.ts';
import { aBackupRule, aRecord, DAY, daysAgo, NOW } from './builders.ts';

const SCHEDULE = { every: 'P1D', at: '02:00', timeZone: 'Europe/Berlin', starts: '1970-01-04' };

describe('the schedule', () => {
  it.each([
    ['daily, local time', SCHEDULE, '2030-01-15T01:00:00Z', '2030-01-16T01:00:00Z'],
    ['weekly, counted from a Sunday', { ...SCHEDULE, every: 'P7D' }, '2030-01-13T01:00:00Z', '2030-01-20T01:00:00Z'],
    [
      'every six hours',
      { every: 'PT6H', timeZone: 'UTC', starts: '2030-01-01' },
      '2030-01-15T12:00:00Z',
      '2030-01-15T18:00:00Z',
    ],
    [
      'whole days as hours',
      { every: 'PT48H', timeZone: 'UTC', starts: '2030-01-01' },
      '2030-01-15T00:00:00Z',
      '2030-01-17T00:00:00Z',
    ],
  ])('%s', (_title, schedule, before, after) => {
    expect(slotAtOrBefore(schedule, NOW)).toEqual(new Date(before));
    expect(slotAfter(schedule, NOW)).toEqual(new Date(after));
  });

  it('stays at two in the night when clocks change', () => {
    expect(slotAtOrBefore(SCHEDULE, new Date('2030-07-15T12:00:00Z'))).toEqual(new Date('2030-07-15T00:00:00Z'));
  });

  it('has no slot before it starts, and its first one on the day it does', () => {
    const later = { ...SCHEDULE, starts: '2030-06-01' };
    expect(slotAtOrBefore(later, NOW)).toBeUndefined();
    expect(slotAfter(later, NOW)).toEqual(new Date('2030-06-01T00:00:00Z'));
  });

  it('leaves no gap: the slot after the last one is the next one, and counting agrees', () => {
    const every = fc.constantFrom('PT1H', 'PT7H', 'P1D', 'P2D', 'P1W', 'P31D');
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Pacific/Apia');
    fc.assert(
      fc.property(every, zone, fc.integer({ min: 0, max: 800 * 24 }), (step, timeZone, hours) => {
        const schedule = { every: step, timeZone, starts: '2029-01-01' };
        const now = new Date(Date.parse('2029-02-15T00:30:00Z') + hours * 3_600_000);
        const last = slotAtOrBefore(schedule, now);
        const next = slotAfter(schedule, now);
        expect(last).toBeDefined();
        if (last === undefined) return;
        expect(last <= now && now < next).toBe(true);
        expect(slotAfter(schedule, last)).toEqual(next);
        expect(slotsBetween(schedule, last, next)).toBe(0);
        expect(slotsBetween(schedule, last, slotAfter(schedule, next))).toBe(1);
      }),
      { numRuns: 200 },
    );
  });
});

const SLOT = '2030-01-15T02:00:00Z';

const anInput = (changes: Partial<BackupInput> = {}): BackupInput => ({
  hsm: 'contoso',
  rule: aBackupRule(),
  records: [aRecord('2030-01-14T02:00:10Z')],
  attempts: [],
  now: NOW,
  ...changes,
});

const aFailure = (attempt: number, endedOn: string): BackupAttempt => ({
  hsm: 'contoso',
  scheduledFor: SLOT,
  attempt,
  startedOn: endedOn,
  endedOn,
  result: 'failed',
});

const REQUEST = { id: 'r1', by: 'alice@contoso.example', note: 'before the migration' };

describe('decideBackup', () => {
  it.each<[string, Partial<BackupInput>, Record<string, unknown>]>([
    [
      'starts what is due',
      {},
      { kind: 'start', reason: 'Scheduled', scheduledFor: SLOT, attempt: 1, missed: 0, rpo: 'met' },
    ],
    [
      'keeps still while the slot is answered',
      { records: [aRecord('2030-01-15T02:00:10Z')] },
      { kind: 'keep', reason: 'NotDue', nextOn: '2030-01-16T02:00:00Z' },
    ],
    [
      'takes any backup since for an answer',
      { records: [aRecord('2030-01-15T09:00:00Z', { purpose: 'safety' })] },
      { kind: 'keep', reason: 'NotDue' },
    ],
    [
      'takes no backup that a drill found wanting for an answer',
      { records: [aRecord('2030-01-15T09:00:00Z', { doubt: { on: SLOT, drill: 'd', reason: 'r' } })] },
      { kind: 'start', rpo: 'neverMet' },
    ],
    ['takes the first one at once', { records: [] }, { kind: 'start', reason: 'FirstBackup', rpo: 'neverMet' }],
    [
      'catches up once for all that were missed',
      { records: [aRecord('2030-01-10T02:00:10Z')] },
      { kind: 'start', reason: 'CatchUp', missed: 4, scheduledFor: SLOT, rpo: 'breached' },
    ],
    [
      'joins a backup that runs',
      { attempts: [{ ...aFailure(1, daysAgo(0)), result: 'running', jobId: 'j1' }] },
      { kind: 'join' },
    ],
    [
      'joins a backup that holds the lock',
      { lock: { operation: 'backup', holder: 'backup-contoso-1' } },
      { kind: 'join', holder: 'backup-contoso-1' },
    ],
    [
      'waits for another operation',
      { lock: { operation: 'restore', holder: 'restore-1' } },
      { kind: 'deferred', reason: 'HsmBusy' },
    ],
    [
      'waits before it tries again',
      { attempts: [aFailure(1, daysAgo(1 / 48))] },
      { kind: 'deferred', reason: 'WaitingToRetry', until: '2030-01-15T12:30:00Z' },
    ],
    [
      'tries again',
      { attempts: [aFailure(1, daysAgo(0.1))] },
      { kind: 'start', reason: 'Retry', attempt: 2, instance: 'backup-contoso-20300115T020000Z-2' },
    ],
    [
      'gives up after the last retry',
      { attempts: [1, 2, 3, 4].map((n) => aFailure(n, daysAgo(0.4 - n / 20))) },
      { kind: 'refused', reason: 'RetriesSpent' },
    ],
    [
      'forgets failures of an earlier slot',
      { attempts: [{ ...aFailure(1, daysAgo(1)), scheduledFor: '2030-01-14T02:00:00Z' }] },
      { kind: 'start', attempt: 1 },
    ],
    [
      'does nothing when the schedule is off',
      { rule: aBackupRule({ mode: 'off' }) },
      { kind: 'keep', reason: 'ScheduleOff' },
    ],
    [
      'does nothing before the schedule starts',
      { rule: aBackupRule({ schedule: { ...SCHEDULE, starts: '2031-01-01' } }) },
      { kind: 'keep', reason: 'NotYetStarted' },
    ],
    [
      'follows a person, schedule or not',
      { rule: aBackupRule({ mode: 'off' }), request: REQUEST },
      { kind: 'start', reason: 'OperatorRequest', instance: 'backup-contoso-requestr1' },
    ],
    [
      'tells a person that the HSM is busy',
      { request: REQUEST, lock: { operation: 'restore', holder: 'restore-1' } },
      { kind: 'refused', reason: 'HsmBusy' },
    ],
    ['lets a person join as well', { request: REQUEST, lock: { operation: 'backup', holder: 'b1' } }, { kind: 'join' }],
  ])('%s', (_title, changes, expected) => {
    expect(decideBackup(anInput(changes))).toMatchObject(expected);
  });

  it('asks for the same instance however often it is asked within one slot', () => {
    fc.assert(
      fc.property(fc.nat(DAY - 1), fc.nat(DAY - 1), (a, b) => {
        const at = (ms: number) => decideBackup(anInput({ now: new Date(Date.parse(SLOT) + ms), records: [] }));
        expect(at(a)).toMatchObject({ instance: 'backup-contoso-20300115T020000Z' });
        expect(at(a)).toEqual(at(b));
      }),
      { numRuns: 30 },
    );
  });

  it('never stays silent longer than the schedule, were every backup to succeed', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('PT6H', 'P1D', 'P3D'),
        fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 30 }),
        (every, gaps) => {
          const rule = aBackupRule({ schedule: { every, timeZone: 'UTC', starts: '2030-01-01' }, rpo: 'P30D' });
          let records = [aRecord('2030-01-01T00:00:05Z')];
          let now = new Date('2030-01-01T00:00:05Z');
          for (const hours of gaps) {
            now = new Date(now.getTime() + hours * 3_600_000);
            if (decideBackup(anInput({ rule, records, now })).kind === 'start')
              records = [...records, aRecord(toIso(now))];
            const newest = records.at(-1)?.takenOn ?? '';
            expect(addDuration(new Date(newest), every) >= (slotAtOrBefore(rule.schedule, now) ?? now)).toBe(true);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
