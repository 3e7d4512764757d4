import type { OrchestrationContext } from 'durable-functions';
import type { Failed } from '../contracts/outcomes.ts';
import { noticeId } from '../instance-ids.ts';
import { run, type Step } from '../steps.ts';

/** Tells that the work on a whole HSM did not finish: nobody else would see what is due, or has changed, on it. */
export function* tellOfHsm(
  context: OrchestrationContext,
  hsm: string,
  work: 'sweep' | 'reconciliation' | 'detection',
  { code, message, nextStep, denial }: Failed,
): Step<void> {
  const id = `${work}-failed-${hsm}-${code}`;
  const notice = {
    kind: 'SweepFailed' as const,
    hsm,
    at: context.df.currentUtcDateTime.toISOString(),
    ...(work === 'sweep' ? {} : { work }),
    failure: { code, message, nextStep, ...(denial ? { denial } : {}) },
  };
  yield* run(context, 'deliverNotification', { id, notice, repeatAfter: 'P1D' }, noticeId(context.df.instanceId, id));
}
