import type { OrchestrationContext, Task } from 'durable-functions';
import type { Outcome } from '../contracts/outcomes.ts';
import { RESTORE_DECIDED } from '../instance-ids.ts';
import { halfwayTo, type Step, steps, timerAt } from '../steps.ts';
import { tellRestore } from './tell-restore.ts';

/**
 * Waits for another person's decision until it is too late, and reminds once, halfway. What was decided is read where it is
 * stored: the event only says that it is time to look, so a lost or forged one decides nothing.
 */
export function* awaitDecision(
  context: OrchestrationContext,
  hsm: string,
  until: string,
): Step<Exclude<Outcome<'judgeRestore'>, { kind: 'awaitApproval' }>> {
  const { judgeRestore } = steps(context);
  const instance = context.df.instanceId;
  const halfway = halfwayTo(context, until);
  let reminded = false;
  let decided = context.df.waitForExternalEvent(RESTORE_DECIDED);
  context.df.setCustomStatus(`waiting for an approval until ${until}`);
  for (;;) {
    const verdict = yield* judgeRestore({ hsm, instance, stage: 'approval' });
    if (verdict.kind !== 'awaitApproval') return verdict;
    const timer = timerAt(context, reminded ? until : halfway);
    const winner = (yield context.df.Task.any([decided, timer])) as Task;
    if (winner === decided) {
      timer.cancel();
      decided = context.df.waitForExternalEvent(RESTORE_DECIDED);
    } else if (!reminded) {
      reminded = true;
      yield* tellRestore(context, hsm, { kind: 'reminder', until });
    }
  }
}
