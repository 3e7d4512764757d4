import type { OrchestrationContext, Task } from 'durable-functions';
import type { OrchestrationInputs } from '../contracts/inputs.ts';
import { type Failed, isFailed } from '../contracts/outcomes.ts';
import { noticeId } from '../instance-ids.ts';
import { run, type Step, steps } from '../steps.ts';
import { spentRetries } from './tell.ts';
import { tellOfHsm } from './tell-of-hsm.ts';

export type ReconcileOutcome = { kind: 'reconciled'; checked: number; drifted: number; repaired: number } | Failed;

/** Compares the rotation policy that the HSM keeps for each key with the policy document; tells drift, repairs it if allowed. */
export function* reconcileRotationPolicies(context: OrchestrationContext): Generator<Task, ReconcileOutcome, unknown> {
  const input = context.df.getInput<OrchestrationInputs['reconcileRotationPolicies']>();
  const { hsm } = input;
  try {
    const outcome = yield* reconcile(context, input);
    if (isFailed(outcome)) yield* tellOfHsm(context, hsm, 'reconciliation', outcome);
    return outcome;
  } catch (fault) {
    yield* tellOfHsm(context, hsm, 'reconciliation', spentRetries(fault));
    throw fault;
  }
}

function* reconcile(
  context: OrchestrationContext,
  { hsm, after, sofar }: OrchestrationInputs['reconcileRotationPolicies'],
): Step<ReconcileOutcome> {
  const instance = context.df.instanceId;
  const part = yield* steps(context).reconcilePolicies({ hsm, instance, ...(after === undefined ? {} : { after }) });
  if (isFailed(part)) return part;
  for (const { id, notice, repeatAfter } of part.notices) {
    yield* run(context, 'deliverNotification', { id, notice, repeatAfter }, noticeId(instance, id));
  }
  const total = {
    checked: (sofar?.checked ?? 0) + part.checked,
    drifted: (sofar?.drifted ?? 0) + part.drifted,
    repaired: (sofar?.repaired ?? 0) + part.repaired,
  };
  // A fresh history for each part: thousands of notices in one would be read again from the start at every step.
  if (part.after !== undefined) context.df.continueAsNew({ hsm, after: part.after, sofar: total });
  return { kind: 'reconciled', ...total };
}
