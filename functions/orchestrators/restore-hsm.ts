import type { OrchestrationContext, Task } from 'durable-functions';
import type { BackUpHsmOutcome } from '../contracts/backup-outcomes.ts';
import type { Failed } from '../contracts/outcomes.ts';
import type { RestoreOutcome, RestoreRefused } from '../contracts/restore-outcomes.ts';
import { safetyBackupId } from '../instance-ids.ts';
import { run, type Step, steps, waitUntil } from '../steps.ts';
import { followRestoreJob } from './follow-restore-job.ts';
import { restoreApproved } from './restore-approved.ts';

/** The rule of the safety backup ends earlier with a clear refusal; this only keeps a mistake from going round for ever. */
const MOST_TURNS = 40;

/** Replaces everything in an HSM by a backup, under guard: `restore-{hsm}-…`, one instance for each request. */
export function* restoreHsm(context: OrchestrationContext): Generator<Task, RestoreOutcome, unknown> {
  return yield* restoreApproved(context, replaceContents);
}

/** Safety backup, staging, check, restore; whatever the service says of the safety backup's age is waited out. */
export function* replaceContents(
  context: OrchestrationContext,
  hsm: string,
): Step<{ kind: 'done' } | RestoreRefused | Failed> {
  const { judgeRestore, stageBackup } = steps(context);
  const instance = context.df.instanceId;
  let safetyBackups = 0;
  let attempt = 0;
  let staged = false;
  for (let turn = 1; turn <= MOST_TURNS; turn++) {
    const verdict = yield* judgeRestore({ hsm, instance, stage: 'start' });
    switch (verdict.kind) {
      case 'refused':
      case 'failed':
        return verdict;
      case 'awaitApproval':
        return { kind: 'refused', reason: 'ApprovalMissing', explanation: verdict.explanation, nextStep: ASK_AGAIN };
      case 'wait':
        context.df.setCustomStatus(verdict.explanation);
        yield* waitUntil(context, verdict.until);
        continue;
      case 'takeSafetyBackup': {
        safetyBackups += 1;
        context.df.setCustomStatus('backing up what the HSM holds now');
        const cause = `safety backup ${safetyBackups} of ${instance}`;
        const input = { hsm, purpose: 'safety' as const, cause, attempt: safetyBackups, under: instance };
        const id = safetyBackupId(instance, safetyBackups);
        const backedUp = yield* run<BackUpHsmOutcome, 'backUpHsm'>(context, 'backUpHsm', input, id);
        if (backedUp.kind !== 'backedUp') return withoutSafety(hsm, backedUp);
        continue;
      }
      case 'proceed':
        break;
    }
    if (!staged) {
      context.df.setCustomStatus('reading the copy again');
      const put = yield* stageBackup({ hsm, instance });
      if (put.kind !== 'staged') return put;
      staged = true;
    }
    attempt += 1;
    const checked = yield* followRestoreJob(context, hsm, 'check', attempt);
    if (checked.kind === 'again') continue;
    if (checked.kind !== 'done') return checked;
    const restored = yield* followRestoreJob(context, hsm, 'restore', attempt);
    if (restored.kind !== 'again') return restored;
  }
  const explanation = `The restore of ${hsm} came no further in ${MOST_TURNS} turns.`;
  return { kind: 'refused', reason: 'SafetyRuleUnclear', explanation, nextStep: ASK_AGAIN };
}

const ASK_AGAIN = 'Read what the service answered in the journal, then ask for the restore again.';

function withoutSafety(hsm: string, backedUp: Exclude<BackUpHsmOutcome, { kind: 'backedUp' }>): RestoreRefused {
  const why = backedUp.kind === 'failed' ? backedUp.message : backedUp.explanation;
  return {
    kind: 'refused',
    reason: 'SafetyBackupFailed',
    explanation: `What ${hsm} holds now could not be backed up, so nothing was restored: ${why}`,
    nextStep: 'nextStep' in backedUp ? backedUp.nextStep : 'Ask for the restore again once the HSM is free.',
  };
}
