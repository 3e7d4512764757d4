import { describe, expect, test } from 'vitest';
import { recoverHsm } from '../../../functions/orchestrators/recover-hsm.ts';
import { type Asked, replay, type Told } from '../../support/replay.ts';

const RECOVERY = 'recover-contoso-contoso-two';
const START = '2030-01-01T00:00:00.000Z';
const minutes = (count: number) => new Date(Date.parse(START) + count * 60_000).toISOString();
const notice = { id: 'recovery-step', notice: { kind: 'RecoveryStepWaiting' }, repeatAfter: 'P1D' };
const wait = (until: string) => ({ kind: 'wait', for: ['reWrap'], until, notices: [notice] });

/** Answers what is asked of each activity in turn; the last answer is repeated. */
function story(answers: { next: unknown[]; performed?: unknown[]; wakes?: number[] }) {
  const turns = { next: 0, performed: 0, wakes: 0 };
  const take = (list: unknown[], at: keyof typeof turns) => list[Math.min(turns[at]++, list.length - 1)];
  return (asked: Asked): Told => {
    switch (asked.kind) {
      case 'activity':
        return asked.name === 'nextRecoveryStep'
          ? { result: take(answers.next, 'next') }
          : { result: take(answers.performed ?? [{ kind: 'done' }], 'performed') };
      case 'any':
        return { result: take(answers.wakes ?? [0], 'wakes') };
      default:
        return { result: { kind: 'told' } };
    }
  };
}

const run = (answers: Parameters<typeof story>[0]) =>
  replay(recoverHsm, { input: { recovery: RECOVERY }, instanceId: RECOVERY, now: START, answer: story(answers) });

describe('recoverHsm', () => {
  test('does step after step until the runbook is complete', () => {
    const act = (step: string) => ({ kind: 'act', step });
    const { asked, outcome } = run({ next: [act('createHsm'), act('verify'), { kind: 'complete' }] });
    expect(asked.filter((each) => each.kind === 'activity' && each.name === 'performRecoveryStep')).toMatchObject([
      { input: { recovery: RECOVERY, step: 'createHsm' } },
      { input: { recovery: RECOVERY, step: 'verify' } },
    ]);
    expect(outcome).toEqual({ kind: 'returned', value: { kind: 'recovered', recovery: RECOVERY } });
  });

  test('waits on a timer while the service is at work', () => {
    const { asked } = run({
      next: [{ kind: 'act', step: 'restore' }, { kind: 'complete' }],
      performed: [{ kind: 'later', until: minutes(30), why: 'too soon' }],
    });
    expect(asked).toContainEqual(expect.objectContaining({ kind: 'timer', at: minutes(30) }));
  });

  test('tells who is waited for, and looks again at once when a step is reported', () => {
    const { asked, phases } = run({ next: [wait(minutes(60)), { kind: 'complete' }], wakes: [0] });
    expect(asked.filter(({ kind }) => kind === 'sub')).toMatchObject([{ name: 'deliverNotification', input: notice }]);
    expect(asked.at(-1)).toMatchObject({ kind: 'activity', name: 'nextRecoveryStep' });
    expect(phases).toContain('waiting for reWrap');
  });

  test('looks again by itself when the event is lost, with a fresh timer each turn and one event awaited', () => {
    const { asked } = run({ next: [wait(minutes(60)), wait(minutes(120)), { kind: 'complete' }], wakes: [1, 1] });
    expect(asked.filter(({ kind }) => kind === 'any')).toMatchObject([
      { of: [{ kind: 'event' }, { kind: 'timer', at: minutes(60) }] },
      { of: [{ kind: 'event' }, { kind: 'timer', at: minutes(120) }] },
    ]);
  });

  test('goes on as a new run when people take their weeks, and keeps nothing but its name', () => {
    const { goesOnWith, asked } = run({ next: [wait(minutes(60))], wakes: [1] });
    expect(goesOnWith).toEqual({ recovery: RECOVERY });
    expect(asked.length).toBeLessThan(200);
  });

  test('ends with a fault that lasts', () => {
    const failed = { kind: 'failed', code: 'ERR_INPUT', message: 'nobody asked', nextStep: 'ask' };
    expect(run({ next: [failed] }).outcome).toEqual({ kind: 'returned', value: failed });
  });
});
