import type { OrchestrationContext, Task } from 'durable-functions';
import type { OrchestrationInputs } from '../contracts.ts';
import { noticeId } from '../instance-ids.ts';
import { type Failed, isFailed } from '../outcomes.ts';
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
  const { surveyKeys, startDueWork, commitSurvey } = steps(context);
  const survey = context.df.newGuid(context.df.instanceId);

  const found = yield* surveyKeys({ hsm, survey });
  if (isFailed(found)) return found;
  for (const { id, notice, repeatAfter } of found.notices) {
    yield* run(context, 'deliverNotification', { id, notice, repeatAfter }, noticeId(context.df.instanceId, id));
  }
  let started = 0;
  for (let batch = 0; batch < found.batches; batch++) {
    const outcome = yield* startDueWork({ hsm, survey, batch });
    if (isFailed(outcome)) return outcome;
    started += outcome.started;
  }
  const committed = yield* commitSurvey({ hsm, survey });
  if (isFailed(committed)) return committed;
  return { kind: 'swept', keys: found.keys, due: found.due, newVersions: found.newVersions, started };
}
