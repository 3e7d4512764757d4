import type { OrchestrationContext, Task } from 'durable-functions';
import type { DetectAnomaliesOutcome, StoredFindingRef } from '../contracts/detection-outcomes.ts';
import type { OrchestrationInputs } from '../contracts/inputs.ts';
import { type Failed, isFailed } from '../contracts/outcomes.ts';
import { type Step, steps } from '../steps.ts';
import { firstLine, spentRetries } from './tell.ts';
import { tellOfHsm } from './tell-of-hsm.ts';

/** Slices that one run works through after an outage; the next run goes on. */
const MOST_WINDOWS = 12;
/** Steps of learning, and some to spare. */
const MOST_LESSONS = 20;
/** Findings that one step hands on. */
const HANDED_ON = 50;

type Detected = Extract<DetectAnomaliesOutcome, { kind: 'detected' }>;

/**
 * Reads the audit log of an HSM from where it was judged last, and hands on what is found. Findings are stored, then told, then
 * joined to incidents; memory and watermark move last, so a crash anywhere repeats the window and says the same again.
 */
export function* detectAnomalies(context: OrchestrationContext): Generator<Task, DetectAnomaliesOutcome, unknown> {
  const { hsm } = context.df.getInput<OrchestrationInputs['detectAnomalies']>();
  try {
    const outcome = yield* detect(context, hsm);
    if (isFailed(outcome)) yield* tellBlindness(context, hsm, outcome);
    return outcome;
  } catch (fault) {
    yield* tellBlindness(context, hsm, spentRetries(fault));
    throw fault;
  }
}

function* detect(context: OrchestrationContext, hsm: string): Step<DetectAnomaliesOutcome> {
  const { judgeWindow, learnBaseline, commitWindow } = steps(context);
  const instance = context.df.instanceId;
  yield* sendCanary(context, hsm);
  const done: Detected = { kind: 'detected', windows: 0, calls: 0, findings: 0, behind: false };
  for (let turn = 0, lessons = 0; turn < MOST_WINDOWS; turn++) {
    const now = context.df.currentUtcDateTime.toISOString();
    const judgement = context.df.newGuid(instance);
    const judged = yield* judgeWindow({ hsm, instance, judgement, now });
    if (isFailed(judged) || judged.kind === 'off') return judged;
    if (judged.kind === 'nothing') return { ...done, behind: false };
    if (judged.kind === 'unlearnt') {
      for (let learnt = false; !learnt && lessons < MOST_LESSONS; lessons++) {
        const lesson = yield* learnBaseline({ hsm, now });
        if (isFailed(lesson)) return lesson;
        learnt = lesson.done;
      }
      continue;
    }
    const failed = yield* handOn(context, hsm, judged.findings);
    if (failed) return failed;
    const committed = yield* commitWindow({ hsm, judgement });
    if (isFailed(committed)) return committed;
    done.windows += 1;
    done.calls += judged.calls;
    done.findings += judged.findings.length;
    done.behind = judged.behind;
    if (!judged.behind || committed.kind === 'superseded') break;
  }
  return done;
}

/** That the canary could not be announced must not keep the log from being read. */
function* sendCanary(context: OrchestrationContext, hsm: string): Step<void> {
  try {
    yield* steps(context).sendCanary({ hsm, instance: context.df.instanceId });
  } catch (spent) {
    if (!context.df.isReplaying) context.warn(`the canary call to ${hsm} was given up: ${firstLine(spent)}`);
  }
}

/**
 * Events first: an incident may answer with containment, and whoever reads events should know why. A topic that is down must
 * not keep containment away, though: then findings are joined all the same, and raised when the window is judged again.
 */
function* handOn(context: OrchestrationContext, hsm: string, all: StoredFindingRef[]): Step<Failed | undefined> {
  const { raiseFindings, joinIncidents } = steps(context);
  const instance = context.df.instanceId;
  let unraised: { failed: Failed } | { spent: unknown } | undefined;
  for (let start = 0; start < all.length; start += HANDED_ON) {
    const findings = all.slice(start, start + HANDED_ON);
    if (unraised === undefined) {
      try {
        const raised = yield* raiseFindings({ hsm, instance, findings });
        if (isFailed(raised)) unraised = { failed: raised };
      } catch (spent) {
        unraised = { spent };
      }
    }
    const joined = yield* joinIncidents({ hsm, findings, instance });
    if (isFailed(joined)) return joined;
  }
  if (unraised === undefined) return undefined;
  if ('failed' in unraised) return unraised.failed;
  throw unraised.spent;
}

/** From the third failure in a row on, people are told, and the blindness is a finding itself. */
function* tellBlindness(context: OrchestrationContext, hsm: string, failed: Failed): Step<void> {
  const at = context.df.currentUtcDateTime.toISOString();
  const { code, message } = failed;
  const noted = yield* steps(context).noteBlindness({ hsm, at, code, message });
  if (isFailed(noted) || noted.findings.length === 0) return;
  yield* tellOfHsm(context, hsm, 'detection', failed);
  try {
    yield* handOn(context, hsm, noted.findings);
  } catch (spent) {
    // People were told by mail; what cannot be handed on now is handed on by the next failure.
    if (!context.df.isReplaying) context.warn(`the blindness of ${hsm} was not handed on: ${firstLine(spent)}`);
  }
}
