import type { OrchestrationContext, Task } from 'durable-functions';
import type { TearDownOutcome } from '../contracts/drill-outcomes.ts';
import type { OrchestrationInputs } from '../contracts/inputs.ts';
import { isFailed } from '../contracts/outcomes.ts';
import { noticeId } from '../instance-ids.ts';
import { run, type Step, steps, waitUntil } from '../steps.ts';

/** An HSM is deleted in minutes, and a creation that may still take effect is waited for; this ends a mistake. */
const MOST_TURNS = 120;

/**
 * Removes the temporary HSM of a drill, however the drill ended: `tear-down-{drill}`. Whatever stays behind is told as
 * critical, and tried again when backups are watched the next time.
 */
export function* tearDownDrill(context: OrchestrationContext): Generator<Task, TearDownOutcome, unknown> {
  const { hsm, instance } = context.df.getInput<OrchestrationInputs['tearDownDrill']>();
  let outcome: TearDownOutcome;
  try {
    outcome = yield* remove(context, hsm, instance);
  } catch (spent) {
    outcome = { kind: 'remains', explanation: String(spent).slice(0, 300) };
  }
  if (outcome.kind === 'gone') return outcome;
  const described = yield* steps(context).describeDrillRemains({ hsm, instance, explanation: outcome.explanation });
  if (!isFailed(described)) {
    const { id, notice, repeatAfter } = described;
    const told = noticeId(context.df.instanceId, 'remains');
    yield* run(context, 'deliverNotification', { id, notice, repeatAfter }, told);
  }
  return outcome;
}

function* remove(context: OrchestrationContext, hsm: string, instance: string): Step<TearDownOutcome> {
  const { removeDrillHsm } = steps(context);
  let why = '';
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const looked = yield* removeDrillHsm({ hsm, instance });
    if (isFailed(looked)) return { kind: 'remains', explanation: `${looked.message} ${looked.nextStep}` };
    if (looked.kind !== 'later') return looked;
    why = looked.why;
    context.df.setCustomStatus(why);
    yield* waitUntil(context, looked.until);
  }
  return { kind: 'remains', explanation: `It did not come to an end: ${why}.` };
}
