import type { OrchestrationContext, Task } from 'durable-functions';
import type { Failed } from '../contracts/outcomes.ts';
import type { RestoreOutcome, RestoreRefused } from '../contracts/restore-outcomes.ts';
import { type Step, steps } from '../steps.ts';
import { followRestoreJob } from './follow-restore-job.ts';
import { restoreApproved } from './restore-approved.ts';

/** Brings back one purged key with all its versions. Nothing is taken away, so no safety backup is needed. */
export function* restoreKey(context: OrchestrationContext): Generator<Task, RestoreOutcome, unknown> {
  return yield* restoreApproved(context, bringBackKey);
}

function* bringBackKey(context: OrchestrationContext, hsm: string): Step<{ kind: 'done' } | RestoreRefused | Failed> {
  const { judgeRestore, stageBackup } = steps(context);
  const instance = context.df.instanceId;
  const verdict = yield* judgeRestore({ hsm, instance, stage: 'start' });
  if (verdict.kind === 'refused' || verdict.kind === 'failed') return verdict;
  if (verdict.kind !== 'proceed')
    return { kind: 'refused', reason: 'NotNow', explanation: verdict.explanation, nextStep: AGAIN };
  context.df.setCustomStatus('reading the copy again');
  const put = yield* stageBackup({ hsm, instance });
  if (put.kind !== 'staged') return put;
  const restored = yield* followRestoreJob(context, hsm, 'restore', 1);
  if (restored.kind !== 'again') return restored;
  return { kind: 'refused', reason: 'RefusedByService', explanation: restored.why, nextStep: AGAIN };
}

const AGAIN = 'Read the answer of the service, then ask for the key again.';
