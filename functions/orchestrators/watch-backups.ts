import type { OrchestrationContext, Task } from 'durable-functions';
import type { OrchestrationInputs } from '../contracts.ts';
import { noticeId } from '../instance-ids.ts';
import { isFailed } from '../outcomes.ts';
import { run, steps } from '../steps.ts';

/** Starts the backup and the drill that are due, tells when the newest backup or proof is too old, and clears up after drills. */
export function* watchBackups(context: OrchestrationContext): Generator<Task, unknown, unknown> {
  const { startDueBackup, startDueDrill, sweepDrillHsms, watchFreshness } = steps(context);
  const { hsm } = context.df.getInput<OrchestrationInputs['watchBackups']>();
  const due = yield* startDueBackup({ hsm });
  const watched = yield* watchFreshness({ hsm });
  if (!isFailed(watched) && watched.kind === 'watched') {
    for (const { id, notice, repeatAfter } of watched.notices) {
      yield* run(context, 'deliverNotification', { id, notice, repeatAfter }, noticeId(context.df.instanceId, id));
    }
  }
  yield* startDueDrill({ hsm });
  yield* sweepDrillHsms({ hsm });
  return due;
}
