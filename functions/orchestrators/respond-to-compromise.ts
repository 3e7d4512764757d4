import type { OrchestrationContext, Task } from 'durable-functions';
import type { IncidentAct, Turn } from '../../shared/incident/turn.ts';
import type { RespondToCompromiseOutcome } from '../contracts/incident-outcomes.ts';
import type { OrchestrationInputs } from '../contracts/inputs.ts';
import { type Failed, isFailed } from '../contracts/outcomes.ts';
import { INCIDENT_CHANGED } from '../instance-ids.ts';
import { pause, type Step, steps, timerAt } from '../steps.ts';

/** A history of so many turns is long enough; the response goes on as a new one, and loses nothing: all is stored. */
const TURNS = 60;
/** How long a response rests when even what is stored cannot be read. */
const REST_MS = 5 * 60_000;

const ACTIVITY = {
  begin: 'beginIncident',
  evidence: 'collectEvidence',
  plan: 'planIncident',
  watch: 'watchHarder',
  expire: 'expireIncidentStep',
  revoke: 'revokeAssignment',
  rotate: 'startIncidentRotation',
  follow: 'followIncidentRotation',
  contain: 'settleContainment',
  verify: 'verifyContainment',
  publish: 'publishIncidentFacts',
  close: 'closeIncident',
} as const satisfies Record<IncidentAct, string>;

/**
 * Answers a compromise: evidence, notice, plan, containment, new versions, verification, and whatever people decide, until it
 * is closed. One instance for each incident, and of its id. What comes next is read from what is stored (shared/incident/
 * turn.ts), so it goes on after days as after seconds, and whatever joins meanwhile is seen at the next turn.
 */
export function* respondToCompromise(
  context: OrchestrationContext,
): Generator<Task, RespondToCompromiseOutcome, unknown> {
  const { incident } = context.df.getInput<OrchestrationInputs['respondToCompromise']>();
  let changed = context.df.waitForExternalEvent(INCIDENT_CHANGED);
  for (let turn = 0; turn < TURNS; turn++) {
    const next = yield* look(context, incident);
    switch (next.kind) {
      case 'failed':
        // The incident is gone: there is nothing to go on with.
        if (next.code === 'ERR_INPUT') return next;
        yield* pause(context, REST_MS);
        break;
      case 'closed':
        return { kind: 'closed', incident };
      case 'act':
      case 'tell':
        context.df.setCustomStatus(next.kind === 'act' ? next.act : `telling: ${next.telling}`);
        yield* perform(context, incident, next);
        break;
      case 'wait': {
        context.df.setCustomStatus(next.for.length === 0 ? 'watching' : `waiting for ${next.for.join(', ')}`);
        const deadline = timerAt(context, next.until);
        const winner = (yield context.df.Task.any([changed, deadline])) as Task;
        if (winner === changed) {
          deadline.cancel();
          changed = context.df.waitForExternalEvent(INCIDENT_CHANGED);
        }
      }
    }
  }
  context.df.continueAsNew({ incident });
  return { kind: 'goesOn' };
}

/** A response outlives the state account being away: it rests and looks again. */
function* look(context: OrchestrationContext, incident: string): Step<Turn | Failed> {
  try {
    return yield* steps(context).nextIncidentStep({ incident });
  } catch (spent) {
    return { kind: 'failed', code: 'ERR_TRANSIENT', message: String(spent), nextStep: 'It is looked again.' };
  }
}

/** Does one thing. What cannot be done is noted and tried again later; nothing else of the response waits for it. */
function* perform(
  context: OrchestrationContext,
  incident: string,
  next: Extract<Turn, { kind: 'act' | 'tell' }>,
): Step<void> {
  const name = next.kind === 'act' ? next.act : 'tell';
  const step = next.kind === 'act' && next.step !== undefined ? { step: next.step } : {};
  let why: string;
  try {
    const done = next.kind === 'act' ? yield* act(context, incident, next) : yield* tell(context, incident, next);
    if (!isFailed(done)) return;
    why = `${done.message} ${done.nextStep}`;
  } catch (spent) {
    why = firstLine(spent);
  }
  if (!context.df.isReplaying) context.warn(`${incident}: ${name} could not be done: ${why}`);
  try {
    yield* steps(context).deferIncidentStep({ incident, act: name, ...step, why: why.slice(0, 500) });
  } catch (spent) {
    if (!context.df.isReplaying) context.warn(`${incident}: not even that could be noted: ${firstLine(spent)}`);
  }
  // A step of the plan has its own time to be tried again; anything else would come up at once.
  if (next.kind === 'tell' || next.step === undefined) yield* pause(context, REST_MS / 5);
}

const act = (context: OrchestrationContext, incident: string, next: Extract<Turn, { kind: 'act' }>) =>
  steps(context)[ACTIVITY[next.act]]({ incident, ...(next.step === undefined ? {} : { step: next.step }) });

const tell = (
  context: OrchestrationContext,
  incident: string,
  { telling, stage, circle }: Extract<Turn, { kind: 'tell' }>,
) => steps(context).tellIncident({ incident, telling, stage, ...(circle === undefined ? {} : { circle }) });

const firstLine = (fault: unknown): string =>
  (fault instanceof Error ? fault.message : String(fault)).split('\n')[0]?.trim() ?? '';
