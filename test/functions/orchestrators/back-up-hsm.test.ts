import { describe, expect, test } from 'vitest';
import { backUpHsm } from '../../../functions/orchestrators/back-up-hsm.ts';
import { type Asked, replay, type Told } from '../../support/replay.ts';

const INSTANCE = 'backup-contoso-20300101T020000Z';
const AT = '2030-01-01T02:00:00.000Z';
const input = { hsm: 'contoso', purpose: 'scheduled', cause: 'Scheduled', attempt: 1 };
const landed = { kind: 'landed', folder: 'f', container: 'c', jobId: 'j', takenOn: AT, completedOn: AT };
const spent = { throws: 'the service is away' };

/** A world in which everything works, unless a test says otherwise. */
const USUAL: Record<string, unknown> = {
  lockHsm: { kind: 'locked' },
  unlockHsm: { kind: 'unlocked' },
  startBackup: { kind: 'started', jobId: 'j' },
  readBackup: landed,
  takeInventory: { kind: 'taken', keys: 2 },
  copyBackup: { kind: 'copied', blobs: 1, bytes: 1 },
  sealBackup: { kind: 'sealed', record: { id: 'f' } },
  endBackupAttempt: { kind: 'noted' },
  pruneBackups: { kind: 'pruned', removed: [] },
  describeBackup: { kind: 'described', id: 'n', notice: { kind: 'BackupCompleted' }, repeatAfter: 'P1D' },
  deliverNotification: { kind: 'told', delivered: [], undelivered: [] },
};

function run(overrides: Record<string, (asked: Asked, count: number) => Told> = {}, from: object = input) {
  const counts: Record<string, number> = {};
  const { asked, outcome } = replay(backUpHsm, {
    input: from,
    instanceId: INSTANCE,
    now: AT,
    answer: (each) => {
      if (each.kind === 'timer') return { result: undefined };
      const count = (counts[each.name] ?? 0) + 1;
      counts[each.name] = count;
      return overrides[each.name]?.(each, count) ?? { result: USUAL[each.name] };
    },
  });
  const inputsOf = (name: string) =>
    asked.flatMap((each) => (each.kind !== 'timer' && each.name === name && 'input' in each ? [each.input] : []));
  return { names: asked.map((each) => (each.kind === 'timer' ? 'timer' : each.name)), inputsOf, outcome };
}

describe('backUpHsm', () => {
  test('locks, backs up, lists, unlocks, copies, seals, notes, prunes and tells, in this order', () => {
    const { names, outcome } = run();
    expect(names).toEqual([
      ...['lockHsm', 'startBackup', 'readBackup', 'takeInventory', 'unlockHsm', 'copyBackup', 'sealBackup'],
      ...['endBackupAttempt', 'pruneBackups', 'describeBackup', 'deliverNotification'],
    ]);
    expect(outcome).toMatchObject({ kind: 'returned', value: { kind: 'backedUp' } });
  });

  test.each(['startBackup', 'readBackup', 'takeInventory', 'copyBackup', 'sealBackup'])(
    'whose retries of %s are spent ends its attempt, unlocks and tells, so that the next slot is not kept waiting for it',
    (step) => {
      const { names, inputsOf, outcome } = run({ [step]: () => spent });
      expect(outcome).toMatchObject({ kind: 'threw', message: expect.stringContaining('away') });
      expect(names).toContain('unlockHsm');
      expect(inputsOf('endBackupAttempt')).toEqual([{ hsm: 'contoso', instance: INSTANCE, result: 'failed' }]);
      expect(inputsOf('describeBackup')).toMatchObject([{ outcome: { kind: 'failed', code: 'ERR_TRANSIENT' } }]);
      expect(names).toContain('deliverNotification');
    },
  );

  test('tells what the retention lets go and something holds', () => {
    const held = { id: 'backups-held-contoso-legalHold', notice: { kind: 'BackupHeld' }, repeatAfter: 'P90D' };
    const { inputsOf, names } = run({
      pruneBackups: () => ({ result: { kind: 'pruned', removed: ['g'], held: [{ id: 'h' }], notices: [held] } }),
    });
    expect(inputsOf('deliverNotification')).toMatchObject([held, { id: 'n' }]);
    expect(inputsOf('describeBackup')).toMatchObject([{ pruned: ['g'] }]);
    expect(names.at(-1)).toBe('deliverNotification');
  });

  test('is a backup although nothing could be pruned', () => {
    const { inputsOf, outcome } = run({ pruneBackups: () => spent });
    expect(outcome).toMatchObject({ kind: 'returned', value: { kind: 'backedUp' } });
    expect(inputsOf('describeBackup')).toMatchObject([{ outcome: { kind: 'backedUp' } }]);
  });

  test('is a backup, and told by mail, although the topic takes no event', () => {
    const { names, inputsOf, outcome } = run({
      describeBackup: (_, count) => (count === 1 ? spent : { result: USUAL.describeBackup }),
    });
    expect(outcome).toMatchObject({ kind: 'returned', value: { kind: 'backedUp' } });
    expect(inputsOf('describeBackup')).toMatchObject([{}, { withoutEvent: true }]);
    expect(names).toContain('deliverNotification');
    expect(inputsOf('endBackupAttempt')).toMatchObject([{ result: 'landed' }]);
  });

  test('under the lock of a restore leaves lock and old backups alone', () => {
    const { names } = run({}, { ...input, purpose: 'safety', under: 'restore-contoso-1' });
    for (const name of ['lockHsm', 'unlockHsm', 'pruneBackups']) expect(names).not.toContain(name);
  });
});
