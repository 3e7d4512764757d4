import type { OrchestrationContext, Task } from 'durable-functions';
import type { OrchestrationInputs } from '../contracts.ts';
import { noticeId } from '../instance-ids.ts';
import { type Failed, isFailed } from '../outcomes.ts';
import { run, steps } from '../steps.ts';

export type SweepOutcome = { kind: 'swept'; keys: number; due: number; newVersions: number; started: number } | Failed;

/**
 * Lists every key of an HSM by pages, publishes what is due and starts the work itself as well: an event that is lost in
 * transit delays nothing. The inventory moves on only after all work was started, so a crash repeats and never skips.
 */
export function* sweepExpiringKeys(context: OrchestrationContext): Generator<Task, SweepOutcome, unknown> {
  const { surveyKeys, startDueWork, commitSurvey } = steps(context);
  const { hsm } = context.df.getInput<OrchestrationInputs['sweepExpiringKeys']>();
  const survey = context.df.newGuid(context.df.instanceId);

  const found = yield* surveyKeys({ hsm, survey });
  if (isFailed(found)) {
    yield* tellOfFailure(context, hsm, found);
    return found;
  }
  for (const { id, notice, repeatAfter } of found.notices) {
    yield* run(context, 'deliverNotification', { id, notice, repeatAfter }, noticeId(context.df.instanceId, id));
  }
  let started = 0;
  for (let batch = 0; batch < found.batches; batch++) {
    const outcome = yield* startDueWork({ hsm, survey, batch });
    if (isFailed(outcome)) {
      yield* tellOfFailure(context, hsm, outcome);
      return outcome;
    }
    started += outcome.started;
  }
  const committed = yield* commitSurvey({ hsm, survey });
  if (isFailed(committed)) return committed;
  return { kind: 'swept', keys: found.keys, due: found.due, newVersions: found.newVersions, started };
}

function* tellOfFailure(context: OrchestrationContext, hsm: string, { code, message, nextStep, denial }: Failed) {
  const id = `sweep-failed-${hsm}-${code}`;
  const failure = { code, message, nextStep, ...(denial ? { denial } : {}) };
  const notice = { kind: 'SweepFailed' as const, hsm, at: context.df.currentUtcDateTime.toISOString(), failure };
  yield* run(context, 'deliverNotification', { id, notice, repeatAfter: 'P1D' }, noticeId(context.df.instanceId, id));
}
