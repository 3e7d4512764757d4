import type { OrchestrationContext, Task } from 'durable-functions';
import type { OrchestrationInputs } from '../contracts.ts';
import { noticeId } from '../instance-ids.ts';
import { type Failed, isFailed } from '../outcomes.ts';
import { run, steps } from '../steps.ts';

export type ReconcileOutcome = { kind: 'reconciled'; checked: number; drifted: number; repaired: number } | Failed;

/** Compares the rotation policy that the HSM keeps for each key with the policy document; tells drift, repairs it if allowed. */
export function* reconcileRotationPolicies(context: OrchestrationContext): Generator<Task, ReconcileOutcome, unknown> {
  const { reconcilePolicies } = steps(context);
  const { hsm } = context.df.getInput<OrchestrationInputs['reconcileRotationPolicies']>();
  const instance = context.df.instanceId;
  const total = { kind: 'reconciled' as const, checked: 0, drifted: 0, repaired: 0 };
  for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
    const part = yield* reconcilePolicies({ hsm, instance, ...(after === undefined ? {} : { after }) });
    if (isFailed(part)) return part;
    for (const { id, notice, repeatAfter } of part.notices) {
      yield* run(context, 'deliverNotification', { id, notice, repeatAfter }, noticeId(instance, id));
    }
    total.checked += part.checked;
    total.drifted += part.drifted;
    total.repaired += part.repaired;
    after = part.after;
  }
  return total;
}
