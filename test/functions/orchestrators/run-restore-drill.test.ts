import { describe, expect, test } from 'vitest';
import { runRestoreDrill } from '../../../functions/orchestrators/run-restore-drill.ts';
import { watchBackups } from '../../../functions/orchestrators/watch-backups.ts';
import { isBackupAtFault } from '../../../shared/drill/backup-at-fault.ts';
import { buildDrillReport, type DrillFacts } from '../../../shared/drill/report.ts';
import { compareWithManifest } from '../../../shared/restore/compare-with-manifest.ts';
import type { RestoreRefusalReason } from '../../../shared/restore/guard.ts';
import { aManifest, aRecord } from '../../shared/backup/builders.ts';
import { type Asked, replay, type Told } from '../../support/replay.ts';

const INSTANCE = 'drill-contoso-request-1';
const BACKUP = 'mhsm-contoso-20300101000000';
const INPUT = {
  hsm: 'contoso',
  backup: BACKUP,
  target: { kind: 'standing', hsm: 'contoso-drill' },
  by: 'operator-oid',
  note: 'before the audit',
};
const refused = { kind: 'refused', reason: 'Because', explanation: 'It cannot be.', nextStep: 'Do otherwise.' };
const denied = { kind: 'failed', code: 'ERR_DENIED', message: 'not allowed', nextStep: 'grant it' };
const backedUp = { kind: 'backedUp', backup: {}, jobId: 'j', startedOn: '', endedOn: '' };

type Overrides = Record<string, (asked: Asked, count: number) => Told>;
const inputOf = <T>(asked: Asked) => (asked as { input: T }).input;

/** A world in which everything works, unless a test says otherwise. The report is judged as it would be. */
function world(overrides: Overrides) {
  const counts: Record<string, number> = {};
  let compared = false;
  let tried: DrillFacts['sentinels'] = [];
  const usual: Record<string, (asked: Asked, count: number) => unknown> = {
    prepareDrill: () => ({ kind: 'prepared', target: 'contoso-drill' }),
    keepDrillSentinels: () => ({ kind: 'kept', sentinels: 2, made: 1 }),
    lockHsm: () => ({ kind: 'locked' }),
    unlockHsm: () => ({ kind: 'unlocked' }),
    judgeRestore: (_, count) =>
      count === 1
        ? { kind: 'takeSafetyBackup', reason: 'SafetyBackupMissing', explanation: '' }
        : { kind: 'proceed', explanation: '' },
    backUpHsm: () => backedUp,
    stageBackup: () => ({ kind: 'staged', blobs: 3, putBack: 0 }),
    startRestore: () => ({ kind: 'started', jobId: 'job' }),
    readRestore: () => ({ kind: 'done' }),
    compareDrill: () => ({ kind: 'compared', keys: 2, versions: 2, critical: 0 }),
    tryDrillSentinels: () => ({ kind: 'tried', ok: 2, failed: 0, notTried: 0 }),
    closeDrill: (asked) => ({ kind: 'closed', end: endOf(inputOf(asked)) }),
    describeDrill: () => ({ kind: 'described', id: 'n', notice: { kind: 'DrillPassed' }, repeatAfter: 'P1D' }),
    deliverNotification: () => ({ kind: 'told', delivered: [], undelivered: [] }),
  };
  const endOf = ({ steps, endedOn }: { steps: DrillFacts['steps']; endedOn: string }) => {
    const manifest = aManifest();
    const { verdict, reasons } = buildDrillReport({
      ...{ drill: INSTANCE, installation: 'test', hsm: 'contoso', endedOn, steps, sentinels: tried },
      target: { hsm: 'contoso-drill', kind: 'standing' },
      backup: aRecord('2030-01-01T00:00:00Z'),
      startedOn: '2030-01-01T00:00:00Z',
      rule: { rpo: 'P2D', drills: { rto: 'PT8H' } },
      ...(compared ? { comparison: compareWithManifest(manifest, manifest) } : {}),
    });
    return { kind: verdict, reasons };
  };
  return (asked: Asked): Told => {
    if (asked.kind !== 'activity' && asked.kind !== 'sub') return { result: undefined };
    const count = (counts[asked.name] ?? 0) + 1;
    counts[asked.name] = count;
    const special = overrides[asked.name]?.(asked, count);
    if (special) return special;
    if (asked.name === 'compareDrill') compared = true;
    if (asked.name === 'tryDrillSentinels') {
      tried = [{ key: 'orders', version: 'a', operation: 'wrapKey', result: 'ok' }];
    }
    return { result: usual[asked.name]?.(asked, count) };
  };
}

function run(overrides: Overrides = {}) {
  const { asked, outcome } = replay(runRestoreDrill, {
    input: INPUT,
    instanceId: INSTANCE,
    answer: world(overrides),
  });
  const names = asked.map((each) => (each.kind === 'timer' ? 'timer' : each.name));
  const closing = asked.find((each) => each.kind === 'activity' && each.name === 'closeDrill');
  const closed = closing && inputOf<{ steps: DrillFacts['steps']; refusal?: string }>(closing);
  return { asked, names, closed, value: outcome.kind === 'returned' ? outcome.value : outcome };
}
const stepsOf = (closed: ReturnType<typeof run>['closed']) =>
  closed?.steps.map(({ name, result }) => `${name} ${result}`);

/** The guard's own reasons are all here, or this does not compile. */
const OF_THE_GUARD: Record<RestoreRefusalReason, 'failed' | 'inconclusive'> = {
  LockHeld: 'inconclusive',
  BackupPruned: 'inconclusive',
  BackupNotVerified: 'inconclusive',
  BackupDoubted: 'inconclusive',
  SecurityDomainUnknown: 'inconclusive',
  WrongSecurityDomain: 'inconclusive',
  ExternalKeysUnknown: 'inconclusive',
  ExternalKeysPresent: 'inconclusive',
  ConfirmationWrong: 'inconclusive',
  ApproverIsRequester: 'inconclusive',
  ApprovalDenied: 'inconclusive',
  ApprovalExpired: 'inconclusive',
  SafetyRuleUnclear: 'inconclusive',
};
const OTHER: Record<string, 'failed' | 'inconclusive'> = {
  ...{ BackupUnknown: 'inconclusive', ApprovalMissing: 'inconclusive', ApprovalNotJournaled: 'inconclusive' },
  ...{ CopyNotAsSealed: 'failed', LandingChanged: 'inconclusive', NotPutBack: 'inconclusive' },
  ...{ ManifestMissing: 'failed', ManifestHashMismatch: 'failed' },
  ...{ ManifestNotAManifest: 'failed' },
  // A newer app wrote it.
  ManifestUnknownVersion: 'inconclusive',
  ...{ JobFailed: 'failed', JobNotFound: 'inconclusive', RestoreUnclear: 'inconclusive' },
  // Codes of the service's own, in whose words a start was refused.
  ...{ RefusedByService: 'inconclusive', Forbidden: 'inconclusive', BadRequest: 'inconclusive' },
};

describe('a restore of a drill that is refused', () => {
  test.each(Object.entries({ ...OF_THE_GUARD, ...OTHER }))('for %s: %s', (reason, verdict) => {
    const { value, closed } = run({ judgeRestore: () => ({ result: { ...refused, reason } }) });
    expect(value).toMatchObject({
      kind: verdict,
      reasons: expect.arrayContaining([expect.stringContaining('It cannot be.')]),
    });
    expect(closed?.refusal).toBe(reason);
    // The catalogue doubts what the drill fails, and nothing else.
    expect(isBackupAtFault(reason)).toBe(verdict === 'failed');
  });

  test.each([
    ['by a fault that lasts', { judgeRestore: () => ({ result: denied }) }],
    ['because its safety backup failed', { backUpHsm: () => ({ result: { ...refused, reason: 'HsmBusy' } }) }],
    ['because it was out of reach', { startRestore: () => ({ throws: 'socket hang up' }) }],
  ] satisfies [string, Overrides][])('%s proves nothing', (_, overrides) => {
    expect(run(overrides).value).toMatchObject({ kind: 'inconclusive' });
  });

  test('only after it, because the manifest is not the sealed one any more, fails', () => {
    const changed = { ...refused, reason: 'ManifestHashMismatch' };
    const { value, closed } = run({ compareDrill: () => ({ result: changed }) });
    expect(value).toMatchObject({ kind: 'failed' });
    expect(closed?.refusal).toBe('ManifestHashMismatch');
  });
});

describe('runRestoreDrill', () => {
  test('prepares, keeps sentinels, locks, restores, compares, opens, unlocks, reports and tells, in this order', () => {
    const { names, value, closed } = run();
    expect(names).toEqual([
      ...['prepareDrill', 'keepDrillSentinels', 'lockHsm', 'judgeRestore', 'backUpHsm', 'judgeRestore', 'stageBackup'],
      ...['startRestore', 'readRestore', 'startRestore', 'readRestore', 'compareDrill', 'tryDrillSentinels'],
      ...['unlockHsm', 'closeDrill', 'describeDrill', 'deliverNotification'],
    ]);
    expect(value).toMatchObject({ kind: 'passed' });
    expect(closed?.refusal).toBeUndefined();
  });

  test('locks, restores and unlocks the drill HSM, never the one that the backup is of', () => {
    const { asked } = run();
    const touched = asked.filter(
      (each) =>
        each.kind !== 'timer' &&
        ['lockHsm', 'unlockHsm', 'startRestore', 'readRestore', 'judgeRestore', 'backUpHsm'].includes(each.name),
    );
    expect(new Set(touched.map((each) => inputOf<{ hsm: string }>(each).hsm))).toEqual(new Set(['contoso-drill']));
  });

  test('ends without a restore, and undecided, when the cost guard refuses', () => {
    const { names, value, closed } = run({ prepareDrill: () => ({ result: refused }) });
    expect(names).toEqual(['prepareDrill', 'closeDrill', 'describeDrill', 'deliverNotification']);
    expect(stepsOf(closed)).toEqual(['prepareTarget skipped']);
    expect(value).toMatchObject({
      kind: 'inconclusive',
      reasons: ['Preparing the drill was skipped: It cannot be.', expect.any(String), expect.any(String)],
    });
  });

  test('waits for a drill HSM that is busy, and proves nothing when it stays so', () => {
    const { names, value, closed } = run({ lockHsm: () => ({ result: { kind: 'held', by: 'backup-drill' } }) });
    expect(names.filter((name) => name === 'timer')).toHaveLength(29);
    expect(names).not.toContain('startRestore');
    expect(names).not.toContain('unlockHsm');
    expect(stepsOf(closed)).toContain('lock skipped');
    expect(value).toMatchObject({ kind: 'inconclusive' });
  });

  test('fails, says why and gives the drill HSM back when the restore fails', () => {
    const { names, value, closed } = run({
      readRestore: (_, count) =>
        count === 1 ? { result: { kind: 'done' } } : { result: { ...refused, reason: 'JobFailed' } },
    });
    expect(names).not.toContain('compareDrill');
    expect(names).toContain('unlockHsm');
    expect(closed?.refusal).toBe('JobFailed');
    expect(value).toMatchObject({
      kind: 'failed',
      reasons: expect.arrayContaining(['Restoring to contoso-drill failed: It cannot be.']),
    });
  });

  test('waits out what the service says of the age of the safety backup', () => {
    const { names, value } = run({
      judgeRestore: (_, count) => {
        if (count !== 2) return { result: { kind: 'proceed', explanation: '' } };
        const until = '2030-01-01T00:31:00.000Z';
        return { result: { kind: 'wait', reason: 'SafetyBackupTooYoung', until, explanation: '' } };
      },
      startRestore: (_, count) => ({
        result: count === 1 ? { kind: 'again', why: 'too soon' } : { kind: 'started', jobId: 'j' },
      }),
    });
    expect(names.filter((name) => name === 'timer')).toHaveLength(1);
    expect(value).toMatchObject({ kind: 'passed' });
  });

  test('goes on without sentinels, and then proves nothing', () => {
    const { names, value } = run({
      keepDrillSentinels: () => ({ result: denied }),
      tryDrillSentinels: () => ({ result: { kind: 'tried', ok: 0, failed: 0, notTried: 0 } }),
    });
    expect(names).toContain('compareDrill');
    expect(value).toMatchObject({ kind: 'inconclusive' });
  });

  test('proves nothing when the drill HSM could not be read after the restore', () => {
    const { value, names } = run({ compareDrill: () => ({ result: denied }) });
    expect(names).toContain('tryDrillSentinels');
    expect(value).toMatchObject({ kind: 'inconclusive' });
  });

  test('unlocks and reports when a step is given up', () => {
    const { names, value, closed } = run({ compareDrill: () => ({ throws: 'the HSM did not answer' }) });
    expect(names.slice(-4)).toEqual(['unlockHsm', 'closeDrill', 'describeDrill', 'deliverNotification']);
    expect(stepsOf(closed)).toContain('compare skipped');
    expect(value).toMatchObject({
      kind: 'inconclusive',
      reasons: expect.arrayContaining([expect.stringContaining('the HSM did not answer')]),
    });
  });

  test('answers with the refusal when nothing can be reported', () => {
    const { names, value } = run({ closeDrill: () => ({ result: refused }) });
    expect(names).not.toContain('describeDrill');
    expect(value).toMatchObject({ kind: 'refused' });
  });

  test('ends all the same when it cannot be told', () => {
    for (const end of [{ result: denied }, { throws: 'the state account is away' }]) {
      expect(run({ describeDrill: () => end }).value).toMatchObject({ kind: 'passed' });
    }
  });

  test('is told by mail although the topic takes no event', () => {
    const away = { throws: 'the topic is away' };
    const told = { result: { kind: 'described', id: 'n', notice: { kind: 'DrillPassed' }, repeatAfter: 'P1D' } };
    const { names, value } = run({ describeDrill: (_, count) => (count === 1 ? away : told) });
    expect(value).toMatchObject({ kind: 'passed' });
    expect(names.slice(-3)).toEqual(['describeDrill', 'describeDrill', 'deliverNotification']);
  });
});

describe('runRestoreDrill on a temporary HSM', () => {
  const prepared = { kind: 'prepared', target: 'drill-0123', rehearsal: `rehearse-${INSTANCE}` };
  const gone = { kind: 'gone', hsm: 'drill-0123', goneOn: '2030-01-08T00:00:00Z' };
  const temporary = (overrides: Overrides = {}) =>
    run({
      prepareDrill: () => ({ result: prepared }),
      recoverHsm: () => ({ result: { kind: 'recovered', recovery: prepared.rehearsal } }),
      tearDownDrill: () => ({ result: gone }),
      ...overrides,
    });
  const TOLD = ['closeDrill', 'describeDrill', 'deliverNotification'];

  test('rehearses the recovery, compares, opens, removes what it made, and only then reports', () => {
    const { asked, names, value, closed } = temporary();
    expect(names).toEqual([
      ...['prepareDrill', 'keepDrillSentinels', 'recoverHsm', 'compareDrill', 'tryDrillSentinels', 'tearDownDrill'],
      ...TOLD,
    ]);
    expect(asked.filter(({ kind }) => kind === 'sub')).toMatchObject([
      { instanceId: `rehearse-${INSTANCE}`, input: { recovery: `rehearse-${INSTANCE}` } },
      { instanceId: `tear-down-${INSTANCE}`, input: { hsm: 'contoso', instance: INSTANCE } },
      { name: 'deliverNotification' },
    ]);
    expect(stepsOf(closed)).toContain('tearDown done');
    expect(value).toMatchObject({ kind: 'passed' });
  });

  test.each([
    ['nobody came in time', { reason: 'NotInTime', result: 'skipped' }, 'inconclusive'],
    ['the copy was changed', { reason: 'CopyNotAsSealed', result: 'failed' }, 'failed'],
  ])('removes what it made when %s', (_, end, verdict) => {
    const ended = { kind: 'ended', explanation: 'It ended.', ...end };
    const { names, value, closed } = temporary({ recoverHsm: () => ({ result: ended }) });
    expect(names).toEqual(['prepareDrill', 'keepDrillSentinels', 'recoverHsm', 'tearDownDrill', ...TOLD]);
    expect(stepsOf(closed)).toContain(`rehearsal ${end.result}`);
    expect(closed?.refusal).toBe(end.reason);
    expect(value).toMatchObject({ kind: verdict });
  });

  test.each(['recoverHsm', 'compareDrill', 'tryDrillSentinels'])('removes what it made when %s is given up', (name) => {
    const { names, value } = temporary({ [name]: () => ({ throws: 'out of reach' }) });
    expect(names.slice(-4)).toEqual(['tearDownDrill', ...TOLD]);
    expect(value).toMatchObject({ kind: 'inconclusive' });
  });

  test('passes all the same when the HSM could not be removed, and says so', () => {
    const remains = { kind: 'remains', explanation: 'The identity may not delete it.' };
    const { value, closed } = temporary({ tearDownDrill: () => ({ result: remains }) });
    expect(stepsOf(closed)).toContain('tearDown failed');
    expect(value).toMatchObject({ kind: 'passed' });
    expect(stepsOf(temporary({ tearDownDrill: () => ({ throws: 'no' }) }).closed)).toContain('tearDown failed');
  });

  test('removes nothing when nothing was planned', () => {
    expect(temporary({ prepareDrill: () => ({ result: refused }) }).names).toEqual(['prepareDrill', ...TOLD]);
  });
});

describe('watchBackups', () => {
  test('asks for the drill that is due after the backup that is due', () => {
    const { asked } = replay(watchBackups, {
      input: { hsm: 'contoso' },
      answer: (each) => ({ result: each.kind === 'activity' && each.name === 'watchFreshness' ? { kind: 'off' } : {} }),
    });
    expect(asked.map((each) => (each.kind === 'activity' ? each.name : each.kind))).toEqual([
      ...['startDueBackup', 'watchFreshness', 'startDueDrill', 'sweepDrillHsms', 'tidyBackups'],
    ]);
  });

  test('tells that a drill which is due cannot run', () => {
    const notice = { id: 'drill-refused-contoso-NoTarget', notice: { kind: 'DrillRefused' }, repeatAfter: 'P7D' };
    const { asked } = replay(watchBackups, {
      input: { hsm: 'contoso' },
      answer: (each) => ({
        result:
          each.kind === 'activity' && each.name === 'startDueDrill'
            ? { kind: 'refused', explanation: 'Because', notices: [notice] }
            : { kind: 'off' },
      }),
    });
    expect(asked.flatMap((each) => (each.kind === 'sub' ? [each.input] : []))).toEqual([notice]);
  });
});
