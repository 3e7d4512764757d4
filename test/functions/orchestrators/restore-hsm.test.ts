import { describe, expect, test } from 'vitest';
import type { RestoreFindings } from '../../../functions/contracts/restore-outcomes.ts';
import { restoreHsm } from '../../../functions/orchestrators/restore-hsm.ts';
import { type Asked, replay, type Told } from '../../support/replay.ts';

const INSTANCE = 'restore-contoso-1';
const UNTIL = '2030-01-01T08:00:00.000Z';

const findings: RestoreFindings = {
  compared: { keys: 2, versions: 3, roleAssignments: 5 },
  critical: 0,
  warnings: 0,
  notes: 0,
  differences: [],
  report: `restores/${INSTANCE}/report`,
};
const refused = { kind: 'refused', reason: 'Because', explanation: 'It cannot be.', nextStep: 'Do otherwise.' };
const backedUp = { kind: 'backedUp', backup: {}, jobId: 'j', startedOn: UNTIL, endedOn: UNTIL };
const proceed = { kind: 'proceed', explanation: '' };
const take = { kind: 'takeSafetyBackup', reason: 'SafetyBackupMissing', explanation: '' };

type Stage = 'request' | 'approval' | 'start';
type Judged = Partial<Record<Stage, object[]>>;

/** A world in which it is approved and everything works, unless a test says otherwise. The last verdict of a stage is kept. */
function world(judged: Judged = {}, overrides: Record<string, (asked: Asked, count: number) => Told> = {}) {
  const verdicts: Record<Stage, object[]> = {
    request: [{ kind: 'awaitApproval', until: UNTIL, explanation: '' }],
    approval: [{ kind: 'awaitApproval', until: UNTIL, explanation: '' }, proceed],
    start: [take, proceed],
    ...judged,
  };
  const counts: Record<string, number> = {};
  const next = (of: string) => {
    counts[of] = (counts[of] ?? 0) + 1;
    return counts[of];
  };
  const usual: Record<string, unknown> = {
    describeRestore: { kind: 'described', id: 'n', notice: { kind: 'RestoreRequested' }, repeatAfter: 'P1D' },
    deliverNotification: { kind: 'told', delivered: [], undelivered: [] },
    lockHsm: { kind: 'locked' },
    unlockHsm: { kind: 'unlocked' },
    backUpHsm: backedUp,
    stageBackup: { kind: 'staged', blobs: 3, putBack: 0 },
    startRestore: { kind: 'started', jobId: 'job' },
    readRestore: { kind: 'done' },
    compareRestore: { kind: 'compared', findings },
    endRestore: { kind: 'noted' },
    // Of the event and the timer, the event.
    any: 0,
  };
  return (asked: Asked): Told => {
    if (asked.kind === 'timer') return { result: undefined };
    if (asked.name === 'judgeRestore') {
      const { stage } = (asked as { input: { stage: Stage } }).input;
      const list = verdicts[stage];
      return { result: list[Math.min(next(stage), list.length) - 1] };
    }
    const count = next(asked.name);
    return overrides[asked.name]?.(asked, count) ?? { result: usual[asked.name] };
  };
}

const run = (judged: Judged = {}, overrides: Record<string, (asked: Asked, count: number) => Told> = {}) => {
  const { asked, outcome } = replay(restoreHsm, {
    input: { hsm: 'contoso' },
    instanceId: INSTANCE,
    answer: world(judged, overrides),
  });
  const names = asked.map((each) => (each.kind === 'timer' ? 'timer' : each.name));
  const told = asked.flatMap((each) =>
    each.kind === 'activity' && each.name === 'describeRestore'
      ? [(each.input as { told: { kind: string } }).told]
      : [],
  );
  return { asked, names, told, outcome, value: outcome.kind === 'returned' ? outcome.value : undefined };
};
const count = (names: string[], name: string) => names.filter((each) => each === name).length;

describe('restoreHsm', () => {
  test('asks, waits, locks, backs the target up, stages, checks, restores, compares, unlocks and tells, in this order', () => {
    const { names, value } = run();
    expect(names.filter((name) => name !== 'deliverNotification')).toEqual([
      ...['judgeRestore', 'describeRestore', 'judgeRestore', 'any', 'judgeRestore', 'lockHsm'],
      ...['judgeRestore', 'backUpHsm', 'judgeRestore', 'stageBackup'],
      ...['startRestore', 'readRestore', 'startRestore', 'readRestore', 'compareRestore', 'unlockHsm'],
      ...['endRestore', 'describeRestore'],
    ]);
    expect(value).toMatchObject({ kind: 'restored', findings });
  });

  test('takes the safety backup under its own lock', () => {
    const { asked } = run();
    const backup = asked.find((each) => each.kind === 'sub' && each.name === 'backUpHsm');
    expect(backup).toMatchObject({ input: { purpose: 'safety', under: INSTANCE }, instanceId: `backup-${INSTANCE}-1` });
  });

  test.each(['LockHeld', 'BackupPruned', 'WrongSecurityDomain', 'ExternalKeysPresent', 'ConfirmationWrong'])(
    'refused for %s at once asks nobody and touches nothing',
    (reason) => {
      const { names, value, told } = run({ request: [{ ...refused, reason }] });
      expect(value).toEqual({ ...refused, reason });
      expect(names).not.toContain('any');
      expect(names).not.toContain('lockHsm');
      expect(told.map(({ kind }) => kind)).toEqual(['ended']);
    },
  );

  test.each(['ApprovalDenied', 'ApproverIsRequester'])('ends when the decision is refused for %s', (reason) => {
    const waiting = { kind: 'awaitApproval', until: UNTIL, explanation: '' };
    const { names, value } = run({ approval: [waiting, { ...refused, reason }] });
    expect(value).toEqual({ ...refused, reason });
    expect(names).not.toContain('lockHsm');
  });

  test('nobody decides: it reminds once, halfway, and ends when the time is over', () => {
    const waiting = { kind: 'awaitApproval', until: UNTIL, explanation: '' };
    const expired = { ...refused, reason: 'ApprovalExpired' };
    const { asked, told, value } = run({ approval: [waiting, waiting, expired] }, { any: () => ({ result: 1 }) });
    const timers = asked.flatMap((each) => (each.kind === 'any' ? each.of : [])).filter(({ kind }) => kind === 'timer');
    expect(timers).toEqual([
      { kind: 'timer', at: '2030-01-01T04:00:00.000Z' },
      { kind: 'timer', at: UNTIL },
    ]);
    expect(told.map(({ kind }) => kind)).toEqual(['requested', 'reminder', 'ended']);
    expect(value).toEqual(expired);
  });

  test('an event without a decision behind it changes nothing', () => {
    const waiting = { kind: 'awaitApproval', until: UNTIL, explanation: '' };
    const { names, value } = run({ approval: [waiting, waiting, waiting, proceed] });
    expect(count(names, 'any')).toBe(3);
    expect(value).toMatchObject({ kind: 'restored' });
  });

  test('a safety backup that fails leaves the HSM as it is and gives the lock back', () => {
    const { names, value } = run({}, { backUpHsm: () => ({ result: refused }) });
    expect(value).toMatchObject({ kind: 'refused', reason: 'SafetyBackupFailed', nextStep: refused.nextStep });
    expect(names).not.toContain('startRestore');
    expect(names).toContain('unlockHsm');
  });

  test('a copy that is not as sealed ends it before the service is asked', () => {
    const { names, value } = run({}, { stageBackup: () => ({ result: refused }) });
    expect(value).toEqual(refused);
    expect(names).not.toContain('startRestore');
    expect(names).toContain('unlockHsm');
  });

  test('a reply that was lost is waited for, and what the HSM shows counts', () => {
    const until = '2030-01-01T00:00:30.000Z';
    const { asked, names, value } = run(
      {},
      {
        startRestore: (each, n) => {
          if ((each as { input: { step: string } }).input.step === 'check')
            return { result: { kind: 'started', jobId: 'c' } };
          return { result: n === 2 ? { kind: 'wait', until, why: 'the reply was lost' } : { kind: 'done' } };
        },
      },
    );
    expect(asked).toContainEqual({ kind: 'timer', at: until });
    // The job of the check alone is read: that of the restore is not known.
    expect(count(names, 'readRestore')).toBe(1);
    expect(value).toMatchObject({ kind: 'restored' });
  });

  test('too soon for the service: it waits as the rule says and asks anew, with the same safety backup', () => {
    const until = '2030-01-01T00:31:00.000Z';
    const { asked, names, value } = run(
      { start: [take, proceed, { kind: 'wait', reason: 'SafetyBackupTooYoung', until, explanation: '' }, proceed] },
      { readRestore: (_, n) => ({ result: n === 1 ? { kind: 'again', why: 'too soon' } : { kind: 'done' } }) },
    );
    expect(asked).toContainEqual({ kind: 'timer', at: until });
    expect(count(names, 'backUpHsm')).toBe(1);
    expect(count(names, 'stageBackup')).toBe(1);
    expect(value).toMatchObject({ kind: 'restored' });
  });

  test('too late for the service: it takes a new safety backup and asks anew, as another attempt', () => {
    const { asked, names, value } = run(
      { start: [take, proceed, take, proceed] },
      {
        startRestore: (_, n) => ({
          result: n === 2 ? { kind: 'again', why: 'too late' } : { kind: 'started', jobId: 'j' },
        }),
      },
    );
    expect(count(names, 'backUpHsm')).toBe(2);
    const attempts = asked.flatMap((each) =>
      each.kind === 'activity' && each.name === 'startRestore' ? [each.input as { step: string; attempt: number }] : [],
    );
    expect(attempts.map(({ step, attempt }) => `${step} ${attempt}`)).toEqual([
      'check 1',
      'restore 1',
      'check 2',
      'restore 2',
    ]);
    expect(value).toMatchObject({ kind: 'restored' });
  });

  test('a service that says so for ever is not asked for ever', () => {
    const { value } = run(
      { start: [proceed] },
      { readRestore: () => ({ result: { kind: 'again', why: 'too soon' } }) },
    );
    expect(value).toMatchObject({ kind: 'refused', reason: 'SafetyRuleUnclear' });
  });

  test('a job that fails is told with its next step, and the lock is given back', () => {
    const { names, value, told } = run(
      {},
      { readRestore: (_, n) => ({ result: n === 1 ? { kind: 'done' } : refused }) },
    );
    expect(value).toEqual(refused);
    expect(names).not.toContain('compareRestore');
    expect(names).toContain('unlockHsm');
    expect(told.at(-1)).toEqual({ kind: 'ended', outcome: refused });
  });

  test('differences that the comparison found are part of the outcome, and told', () => {
    const different = { ...findings, critical: 1, differences: ['critical: keys/orders KeyMissing'] };
    const { value, told } = run({}, { compareRestore: () => ({ result: { kind: 'compared', findings: different } }) });
    expect(value).toMatchObject({ kind: 'restored', findings: different });
    expect(told.at(-1)).toMatchObject({ kind: 'ended', outcome: { findings: { critical: 1 } } });
  });

  test('an HSM that is busy is waited for half an hour, and then left alone', () => {
    const { names, value } = run({}, { lockHsm: () => ({ result: { kind: 'held', by: 'backup-1' } }) });
    expect(count(names, 'lockHsm')).toBe(30);
    expect(value).toMatchObject({ kind: 'refused', reason: 'LockHeld' });
    expect(names).not.toContain('unlockHsm');
  });

  test('retries that are spent are told, the lock is given back, and the instance fails', () => {
    const { names, outcome, told } = run({}, { stageBackup: () => ({ throws: 'the vault is away' }) });
    expect(outcome).toMatchObject({ kind: 'threw' });
    expect(names).toContain('unlockHsm');
    expect(told.at(-1)).toMatchObject({ kind: 'ended', outcome: { kind: 'failed' } });
  });

  test('a topic that takes no event neither undoes what was restored nor keeps it from people', () => {
    const away = { throws: 'the topic is away' };
    const told: Told = {
      result: { kind: 'described', id: 'n', notice: { kind: 'RestoreCompleted' }, repeatAfter: 'P1D' },
    };
    const { names, value } = run({}, { describeRestore: (_, turn) => (turn === 2 ? away : told) });
    expect(value).toMatchObject({ kind: 'restored' });
    expect(names.slice(-3)).toEqual(['describeRestore', 'describeRestore', 'deliverNotification']);
  });
});
