import type { OrchestrationContext } from 'durable-functions';
import type { ActivityInput } from '../contracts/inputs.ts';
import { isFailed } from '../contracts/outcomes.ts';
import { noticeId } from '../instance-ids.ts';
import { run, type Step, steps } from '../steps.ts';
import { toldAnyway } from './told-anyway.ts';

/** Tells how a restore stands to whoever cares for the HSM. Never fails its caller. */
export function* tellRestore(
  context: OrchestrationContext,
  hsm: string,
  told: ActivityInput<'describeRestore'>['told'],
): Step<void> {
  const instance = context.df.instanceId;
  const at = context.df.currentUtcDateTime.toISOString();
  const asked = { hsm, instance, at, told };
  const described = yield* toldAnyway(context, (more) => steps(context).describeRestore({ ...asked, ...more }));
  if (described === undefined || isFailed(described)) return;
  const { id, notice, repeatAfter } = described;
  yield* run(context, 'deliverNotification', { id, notice, repeatAfter }, noticeId(instance, told.kind));
}
