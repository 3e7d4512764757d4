import type { OrchestrationContext, Task } from 'durable-functions';
import type { OrchestrationInputs } from '../contracts/inputs.ts';
import { isFailed, type NoticeDue } from '../contracts/outcomes.ts';
import { noticeId } from '../instance-ids.ts';
import { run, type Step, steps } from '../steps.ts';

/** Starts the backup and the drill that are due, tells when the newest backup or proof is too old, and clears up after drills and backups. */
export function* watchBackups(context: OrchestrationContext): Generator<Task, unknown, unknown> {
  const { startDueBackup, startDueDrill, sweepDrillHsms, tidyBackups, watchFreshness } = steps(context);
  const { hsm } = context.df.getInput<OrchestrationInputs['watchBackups']>();
  const due = yield* startDueBackup({ hsm });
  const watched = yield* watchFreshness({ hsm });
  if (!isFailed(watched) && watched.kind === 'watched') yield* tell(context, watched.notices);
  const drill = yield* startDueDrill({ hsm });
  if (!isFailed(drill) && drill.kind === 'refused') yield* tell(context, drill.notices ?? []);
  yield* sweepDrillHsms({ hsm });
  // Last, because nothing waits for it.
  yield* tidyBackups({ hsm });
  return due;
}

function* tell(context: OrchestrationContext, notices: readonly NoticeDue[]): Step<void> {
  for (const { id, notice, repeatAfter } of notices) {
    yield* run(context, 'deliverNotification', { id, notice, repeatAfter }, noticeId(context.df.instanceId, id));
  }
}
