import { describe, expect, test } from 'vitest';
import { restoreKey } from '../../../functions/orchestrators/restore-key.ts';
import { type Asked, replay, type Told } from '../../support/replay.ts';

const refused = { kind: 'refused', reason: 'KeyStillActive', explanation: 'It is there.', nextStep: 'Leave it.' };
const compared = {
  kind: 'compared',
  findings: {
    compared: { keys: 1, versions: 2, roleAssignments: 0 },
    ...{ critical: 0, warnings: 0, notes: 0, differences: [], report: 'r' },
  },
};

function run(overrides: Record<string, unknown> = {}, start: object = { kind: 'proceed', explanation: '' }) {
  const usual: Record<string, unknown> = {
    describeRestore: { kind: 'described', id: 'n', notice: { kind: 'RestoreRequested' }, repeatAfter: 'P1D' },
    lockHsm: { kind: 'locked' },
    stageBackup: { kind: 'staged', blobs: 3, putBack: 1 },
    startRestore: { kind: 'started', jobId: 'job' },
    readRestore: { kind: 'done' },
    compareRestore: compared,
    ...overrides,
  };
  const answer = (asked: Asked): Told => {
    if (asked.kind === 'timer') return { result: undefined };
    if (asked.name !== 'judgeRestore') return { result: usual[asked.name] };
    const { stage } = (asked as { input: { stage: string } }).input;
    return { result: stage === 'start' ? start : { kind: 'proceed', explanation: 'approved already' } };
  };
  const { asked, outcome } = replay(restoreKey, { input: { hsm: 'contoso' }, instanceId: 'restore-contoso-2', answer });
  const names = asked.map((each) => (each.kind === 'timer' ? 'timer' : each.name));
  return { names, value: outcome.kind === 'returned' ? outcome.value : outcome };
}

describe('restoreKey', () => {
  test('locks, stages, restores and compares the one key; nothing is taken away, so nothing is backed up first', () => {
    const { names, value } = run();
    expect(value).toMatchObject({ kind: 'restored', findings: compared.findings });
    expect(names).not.toContain('backUpHsm');
    expect(names.filter((name) => name === 'startRestore')).toHaveLength(1);
  });

  test('a key that came back meanwhile is left as it is', () => {
    const { names, value } = run({}, refused);
    expect(value).toEqual(refused);
    expect(names).not.toContain('startRestore');
    expect(names).toContain('unlockHsm');
  });

  test('a service that refuses over an age that no key has ends it', () => {
    expect(run({ startRestore: { kind: 'again', why: 'too soon' } }).value).toMatchObject({
      reason: 'RefusedByService',
    });
  });
});
