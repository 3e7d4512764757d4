import type { OrchestrationContext } from 'durable-functions';
import type { OrchestrationInputs } from '../contracts/inputs.ts';
import type { Failed } from '../contracts/outcomes.ts';
import type { RestoreOutcome, RestoreRefused } from '../contracts/restore-outcomes.ts';
import { type Step, steps } from '../steps.ts';
import { awaitDecision } from './await-decision.ts';
import { takeHsm } from './take-hsm.ts';
import { tellRestore } from './tell-restore.ts';

type Stopped = RestoreRefused | Failed;

/** Runs with the lock held, once another person has approved it. */
type Act = (context: OrchestrationContext, hsm: string) => Step<{ kind: 'done' } | Stopped>;

/** Guard, approval by another person, lock, the act, comparison, report: the frame of every restore. */
export function* restoreApproved(context: OrchestrationContext, act: Act): Step<RestoreOutcome> {
  const { hsm } = context.df.getInput<OrchestrationInputs['restoreHsm']>();
  let outcome: RestoreOutcome;
  try {
    outcome = yield* approvedAndLocked(context, hsm, act);
  } catch (spent) {
    // Told, then thrown on: the instance shows Failed.
    yield* finish(context, hsm, {
      kind: 'failed',
      code: 'ERR_TRANSIENT',
      message: `The restore of ${hsm} was given up: ${String(spent).slice(0, 300)}`,
      nextStep: 'Look at what the HSM holds now, mend what was out of reach, then ask for the restore again.',
    });
    throw spent;
  }
  yield* finish(context, hsm, outcome);
  return outcome;
}

function* approvedAndLocked(context: OrchestrationContext, hsm: string, act: Act): Step<RestoreOutcome> {
  const { judgeRestore, unlockHsm, compareRestore } = steps(context);
  const instance = context.df.instanceId;
  const asked = yield* judgeRestore({ hsm, instance, stage: 'request' });
  if (asked.kind === 'refused' || asked.kind === 'failed') return asked;
  if (asked.kind === 'awaitApproval') {
    yield* tellRestore(context, hsm, { kind: 'requested', until: asked.until });
    const decided = yield* awaitDecision(context, hsm, asked.until);
    if (decided.kind === 'refused' || decided.kind === 'failed') return decided;
  }

  const taken = yield* takeHsm(context, hsm, 'restore');
  if (taken.kind === 'busy')
    return { kind: 'refused', reason: 'LockHeld', explanation: taken.explanation, nextStep: LATER };
  if (taken.kind === 'failed') return taken;
  const startedOn = context.df.currentUtcDateTime.toISOString();
  try {
    const done = yield* act(context, hsm);
    if (done.kind !== 'done') return done;
    context.df.setCustomStatus('comparing with the manifest');
    const endedOn = context.df.currentUtcDateTime.toISOString();
    const compared = yield* compareRestore({ hsm, instance, startedOn, endedOn });
    if (compared.kind !== 'compared') return compared;
    return { kind: 'restored', startedOn, endedOn, findings: compared.findings };
  } finally {
    // A restore that fails gives the HSM back as well.
    yield* unlockHsm({ hsm, holder: instance });
  }
}

const LATER = 'Wait until it has finished, then ask for the restore again.';

function* finish(context: OrchestrationContext, hsm: string, outcome: RestoreOutcome): Step<void> {
  context.df.setCustomStatus('telling');
  yield* steps(context).endRestore({ hsm, instance: context.df.instanceId, outcome });
  yield* tellRestore(context, hsm, { kind: 'ended', outcome });
}
