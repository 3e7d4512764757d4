import type { OrchestrationContext } from 'durable-functions';
import type { BackUpHsmInput } from '../contracts/backup-inputs.ts';
import type { BackUpHsmOutcome } from '../contracts/backup-outcomes.ts';
import { isFailed } from '../contracts/outcomes.ts';
import { noticeId } from '../instance-ids.ts';
import { run, type Step, steps } from '../steps.ts';
import { toldAnyway } from './told-anyway.ts';

/** Publishes how a backup ended and tells whoever cares for the HSM. Never fails its caller. */
export function* tellBackup(
  context: OrchestrationContext,
  { hsm, purpose, attempt }: BackUpHsmInput,
  outcome: Exclude<BackUpHsmOutcome, { kind: 'deferred' }>,
  pruned: string[] = [],
): Step<void> {
  const instance = context.df.instanceId;
  const at = context.df.currentUtcDateTime.toISOString();
  const asked = { hsm, instance, at, purpose, attempt, pruned, outcome };
  const described = yield* toldAnyway(context, (more) => steps(context).describeBackup({ ...asked, ...more }));
  if (described === undefined || isFailed(described)) return;
  const { id, notice, repeatAfter } = described;
  yield* run(context, 'deliverNotification', { id, notice, repeatAfter }, noticeId(instance, 'backup'));
}
