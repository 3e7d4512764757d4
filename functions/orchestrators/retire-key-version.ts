import type { OrchestrationContext, Task } from 'durable-functions';
import type { ActivityInput, OrchestrationInputs } from '../contracts/inputs.ts';
import { type Failed, isFailed, type Outcome } from '../contracts/outcomes.ts';
import type { RetirementOutcome } from '../contracts/retirement-outcomes.ts';
import { noticeId, RETIREMENT_DECIDED } from '../instance-ids.ts';
import { halfwayTo, pause, run, type Step, steps, timerAt } from '../steps.ts';
import { firstLine, publishIfPossible } from './tell.ts';

/** Missed calls are looked for so often, while the version is watched. */
const LOOK_EVERY_MS = 15 * 60_000;

/** Approval by another person, last look, disable, watch; enabled again at once when somebody misses it. */
export function* retireKeyVersion(context: OrchestrationContext): Generator<Task, RetirementOutcome, unknown> {
  let outcome: RetirementOutcome;
  try {
    outcome = yield* retire(context);
  } catch (spent) {
    // Told, then thrown on: the instance shows Failed.
    yield* finish(context, failure(spent));
    throw spent;
  }
  yield* finish(context, outcome);
  return outcome;
}

function* retire(context: OrchestrationContext): Step<RetirementOutcome> {
  const { judgeRetirement, disableKeyVersion } = steps(context);
  const instance = context.df.instanceId;
  const asked = yield* judgeRetirement({ instance });
  if (asked.kind === 'refused' || isFailed(asked)) return asked;
  if (asked.kind === 'awaitApproval') {
    yield* tell(context, { kind: 'requested', until: asked.until });
    const decided = yield* awaitRetirementDecision(context, asked.until);
    if (decided.kind === 'refused' || isFailed(decided)) return decided;
  }
  context.df.setCustomStatus('disabling');
  const disabled = yield* disableKeyVersion({ instance });
  if (disabled.kind !== 'disabled') return disabled;
  const { at, watchedUntil } = disabled;
  yield* tell(context, { kind: 'disabled', watchedUntil });
  const { hsm, name, version } = context.df.getInput<OrchestrationInputs['retireKeyVersion']>();
  yield* publishIfPossible(context, { key: { hsm, name }, type: 'KeyVersionRetired', version, at, detail: {} });
  return yield* watch(context, at, watchedUntil);
}

/** As restores wait: what was decided is read where it is stored; the event only says that it is time to look. */
function* awaitRetirementDecision(
  context: OrchestrationContext,
  until: string,
): Step<Exclude<Outcome<'judgeRetirement'>, { kind: 'awaitApproval' }>> {
  const halfway = halfwayTo(context, until);
  let reminded = false;
  let decided = context.df.waitForExternalEvent(RETIREMENT_DECIDED);
  context.df.setCustomStatus(`waiting for an approval until ${until}`);
  for (;;) {
    const verdict = yield* steps(context).judgeRetirement({ instance: context.df.instanceId });
    if (verdict.kind !== 'awaitApproval') return verdict;
    const timer = timerAt(context, reminded ? until : halfway);
    const winner = (yield context.df.Task.any([decided, timer])) as Task;
    if (winner === decided) {
      timer.cancel();
      decided = context.df.waitForExternalEvent(RETIREMENT_DECIDED);
    } else if (!reminded) {
      reminded = true;
      yield* tell(context, { kind: 'reminder', until });
    }
  }
}

function* watch(context: OrchestrationContext, disabledOn: string, watchedUntil: string): Step<RetirementOutcome> {
  context.df.setCustomStatus(`watched until ${watchedUntil}`);
  for (;;) {
    yield* pause(context, LOOK_EVERY_MS);
    const looked = yield* look(context, disabledOn);
    if (looked.kind === 'missed') {
      context.df.setCustomStatus('enabling again');
      const { callers } = looked;
      const why = yield* enable(context, callers);
      return why === undefined
        ? { kind: 'reenabled', disabledOn, callers }
        : { kind: 'stillDisabled', disabledOn, callers, why };
    }
    if (context.df.currentUtcDateTime.toISOString() >= watchedUntil) {
      return { kind: 'retired', disabledOn, watchedUntil, watched: looked.kind === 'quiet' };
    }
  }
}

/** Why it could not be enabled; undefined when it is. */
function* enable(context: OrchestrationContext, callers: string[]): Step<string | undefined> {
  try {
    const enabled = yield* steps(context).enableKeyVersion({ instance: context.df.instanceId, callers });
    return isFailed(enabled) ? enabled.message : undefined;
  } catch (spent) {
    return firstLine(spent);
  }
}

/** A log that is away for a while must not end the watch. */
function* look(
  context: OrchestrationContext,
  disabledOn: string,
): Step<{ kind: 'quiet' | 'unknown' } | { kind: 'missed'; callers: string[] }> {
  try {
    const looked = yield* steps(context).lookForMissed({ instance: context.df.instanceId, disabledOn });
    return isFailed(looked) ? { kind: 'unknown' } : looked;
  } catch (spent) {
    if (!context.df.isReplaying) context.warn(`the log was not read: ${firstLine(spent)}`);
    return { kind: 'unknown' };
  }
}

const failure = (spent: unknown): Failed => ({
  kind: 'failed',
  code: 'ERR_TRANSIENT',
  message: `The retirement was given up: ${firstLine(spent)}`,
  nextStep:
    'Look whether the version is enabled; while it is disabled and was not watched, enable it or watch its callers.',
});

function* finish(context: OrchestrationContext, outcome: RetirementOutcome): Step<void> {
  yield* steps(context).endRetirement({ instance: context.df.instanceId, outcome });
  // That it was disabled has been told; a quiet watch is no news.
  if (outcome.kind !== 'retired') yield* tell(context, { kind: 'ended', outcome });
}

function* tell(context: OrchestrationContext, told: ActivityInput<'describeRetirement'>['told']): Step<void> {
  const instance = context.df.instanceId;
  const at = context.df.currentUtcDateTime.toISOString();
  const described = yield* steps(context).describeRetirement({ instance, at, told });
  if (isFailed(described)) return;
  const { id, notice, repeatAfter } = described;
  yield* run(context, 'deliverNotification', { id, notice, repeatAfter }, noticeId(instance, told.kind));
}
