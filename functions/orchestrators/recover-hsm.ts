import type { OrchestrationContext, Task } from 'durable-functions';
import type { OrchestrationInputs } from '../contracts/inputs.ts';
import { type Failed, isFailed } from '../contracts/outcomes.ts';
import { noticeId, RECOVERY_REPORTED } from '../instance-ids.ts';
import { run, steps, timerAt, waitUntil } from '../steps.ts';

export type RecoverHsmOutcome =
  | { kind: 'recovered'; recovery: string }
  | { kind: 'goesOn' }
  /** Of a rehearsal that went no further. */
  | { kind: 'ended'; reason: string; explanation: string; result: 'failed' | 'skipped' }
  | Failed;

/** A history of so many turns is long enough; the recovery goes on as a new one, and loses nothing: all is stored. */
const TURNS = 40;

/**
 * Does what can be done, waits for people, and looks again: for days, if need be. What was reported decides what comes next,
 * so the order of steps lies in shared/recovery/runbook.ts and nothing is remembered here.
 */
export function* recoverHsm(context: OrchestrationContext): Generator<Task, RecoverHsmOutcome, unknown> {
  const { nextRecoveryStep, performRecoveryStep } = steps(context);
  const { recovery } = context.df.getInput<OrchestrationInputs['recoverHsm']>();
  let reported = context.df.waitForExternalEvent(RECOVERY_REPORTED);
  for (let turn = 0; turn < TURNS; turn++) {
    const next = yield* nextRecoveryStep({ recovery });
    if (isFailed(next)) return next;
    if (next.kind === 'complete') return { kind: 'recovered', recovery };
    if (next.kind === 'ended') return next;
    if (next.kind === 'act') {
      context.df.setCustomStatus(next.step);
      const performed = yield* performRecoveryStep({ recovery, step: next.step });
      if (isFailed(performed)) return performed;
      if (performed.kind === 'later') yield* waitUntil(context, performed.until);
      continue;
    }
    for (const { id, notice, repeatAfter } of next.notices) {
      yield* run(
        context,
        'deliverNotification',
        { id, notice, repeatAfter },
        noticeId(context.df.instanceId, `${turn}-${id}`),
      );
    }
    context.df.setCustomStatus(`waiting for ${next.for.join(', ')}`);
    // A report that comes between two turns is found in what is stored; the event only says that it is time to look.
    const deadline = timerAt(context, next.until);
    const winner = (yield context.df.Task.any([reported, deadline])) as Task;
    if (winner === reported) {
      deadline.cancel();
      reported = context.df.waitForExternalEvent(RECOVERY_REPORTED);
    }
  }
  context.df.continueAsNew({ recovery });
  return { kind: 'goesOn' };
}
