import type { OrchestrationContext, Task } from 'durable-functions';
import type { OrchestrationInputs } from '../contracts/inputs.ts';
import { type Failed, isFailed } from '../contracts/outcomes.ts';
import { noticeId } from '../instance-ids.ts';
import { run, type Step, steps } from '../steps.ts';
import { spentRetries } from './tell.ts';
import { tellOfHsm } from './tell-of-hsm.ts';

export type SweepOutcome = { kind: 'swept'; keys: number; due: number; newVersions: number; started: number } | Failed;

/**
 * Lists every key of an HSM by pages, publishes what is due and starts the work itself as well: an event that is lost in
 * transit delays nothing. The inventory moves on only after all work was started, so a crash repeats and never skips.
 */
export function* sweepExpiringKeys(context: OrchestrationContext): Generator<Task, SweepOutcome, unknown> {
  const { hsm } = context.df.getInput<OrchestrationInputs['sweepExpiringKeys']>();
  try {
    const outcome = yield* sweep(context, hsm);
    if (isFailed(outcome)) yield* tellOfHsm(context, hsm, 'sweep', outcome);
    return outcome;
  } catch (fault) {
    yield* tellOfHsm(context, hsm, 'sweep', spentRetries(fault));
    throw fault;
  }
}

function* sweep(context: OrchestrationContext, hsm: string): Step<SweepOutcome> {
  const { surveyKeys, commitSurvey } = steps(context);
  const survey = context.df.newGuid(context.df.instanceId);

  const found = yield* surveyKeys({ hsm, survey });
  if (isFailed(found)) return found;
  for (const { id, notice, repeatAfter } of found.notices) {
    yield* run(context, 'deliverNotification', { id, notice, repeatAfter }, noticeId(context.df.instanceId, id));
  }
  const begun = yield* startAll(context, hsm, survey, found.batches);
  if (isFailed(begun)) return begun;
  const committed = yield* commitSurvey({ hsm, survey });
  if (isFailed(committed)) return committed;
  return { kind: 'swept', keys: found.keys, due: found.due, newVersions: found.newVersions, started: begun.started };
}

/**
 * Starts every batch. One that fails may have met a topic that is down, which must not keep keys from being rotated: the others
 * are started without their events. What failed first is told in the end; the next sweep publishes what this one could not.
 */
function* startAll(
  context: OrchestrationContext,
  hsm: string,
  survey: string,
  batches: number,
): Step<{ kind: 'begun'; started: number } | Failed> {
  let started = 0;
  let first: { failed: Failed } | { spent: unknown } | undefined;
  for (let batch = 0; batch < batches; batch++) {
    const more = first === undefined ? {} : { withoutEvents: true as const };
    try {
      const outcome = yield* steps(context).startDueWork({ hsm, survey, batch, ...more });
      if (!isFailed(outcome)) started += outcome.started;
      else if (first === undefined) first = { failed: outcome };
      else break;
    } catch (spent) {
      if (first !== undefined) break;
      first = { spent };
    }
  }
  if (first === undefined) return { kind: 'begun', started };
  if ('failed' in first) return first.failed;
  throw first.spent;
}
