import type { OrchestrationContext, Task } from 'durable-functions';
import type { BackUpHsmInput } from '../backup-contracts.ts';
import type { BackUpHsmOutcome, BackupRefused } from '../backup-outcomes.ts';
import { type Failed, isFailed } from '../outcomes.ts';
import { type Step, steps, waitUntil } from '../steps.ts';
import { takeHsm } from './take-hsm.ts';
import { tellBackup } from './tell-backup.ts';

interface Landed {
  kind: 'landed';
  folder: string;
  container: string;
  jobId: string;
  takenOn: string;
  completedOn: string;
}

/**
 * Lock, start once, follow the job, list what it holds, copy, verify, lock the copy, catalogue, prune, tell. One instance for
 * each slot of the schedule: `backup-{hsm}-{slot}`.
 */
export function* backUpHsm(context: OrchestrationContext): Generator<Task, BackUpHsmOutcome, unknown> {
  const input = context.df.getInput<BackUpHsmInput>();
  const { hsm, under } = input;
  const holder = context.df.instanceId;
  const { unlockHsm, endBackupAttempt } = steps(context);
  const startedOn = context.df.currentUtcDateTime.toISOString();

  if (under === undefined) {
    const taken = yield* takeHsm(context, hsm, 'backup');
    if (taken.kind === 'busy') return { kind: 'deferred', reason: 'HsmBusy', explanation: taken.explanation };
    if (taken.kind === 'failed') return taken;
  }

  let landed: Landed | BackupRefused | Failed;
  let taken: { kind: string } | Failed = { kind: 'none' };
  try {
    landed = yield* runJob(context, input);
    if (landed.kind === 'landed') {
      // Listed while the lock still keeps restores away: the manifest says what the HSM held when it was backed up.
      context.df.setCustomStatus('listing what the backup holds');
      taken = yield* steps(context).takeInventory({ hsm, folder: landed.folder });
    }
  } finally {
    // An orchestration that fails gives the HSM back as well.
    if (under === undefined) yield* unlockHsm({ hsm, holder });
  }
  if (landed.kind !== 'landed') {
    yield* endBackupAttempt({ hsm, instance: holder, result: 'failed' });
    yield* tellBackup(context, input, landed);
    return landed;
  }
  const sealed = isFailed(taken) ? taken : yield* keepCopy(context, input, landed);
  if (sealed.kind !== 'sealed') {
    yield* endBackupAttempt({ hsm, instance: holder, result: 'failed' });
    yield* tellBackup(context, input, sealed);
    return sealed;
  }
  yield* endBackupAttempt({ hsm, instance: holder, result: 'landed' });
  const outcome: BackUpHsmOutcome = {
    kind: 'backedUp',
    backup: sealed.record,
    jobId: landed.jobId,
    startedOn,
    endedOn: context.df.currentUtcDateTime.toISOString(),
  };
  // Before a restore nothing goes: it may be what is restored.
  const pruned = under === undefined ? yield* prune(context, hsm) : [];
  context.df.setCustomStatus('telling');
  yield* tellBackup(context, input, outcome, pruned);
  return outcome;
}

function* prune(context: OrchestrationContext, hsm: string): Step<string[]> {
  context.df.setCustomStatus('pruning');
  const pruned = yield* steps(context).pruneBackups({ hsm, instance: context.df.instanceId, dryRun: false });
  return isFailed(pruned) ? [] : pruned.removed;
}

/** The service's job, from its start to its end. */
function* runJob(
  context: OrchestrationContext,
  { under: _, ...asked }: BackUpHsmInput,
): Step<Landed | BackupRefused | Failed> {
  const { startBackup, readBackup } = steps(context);
  const instance = context.df.instanceId;
  context.df.setCustomStatus('starting the job');
  for (;;) {
    const started = yield* startBackup({ ...asked, instance });
    if (started.kind === 'refused' || started.kind === 'failed') return started;
    if (started.kind === 'landed') {
      return { ...started, completedOn: context.df.currentUtcDateTime.toISOString() };
    }
    if (started.kind === 'wait') {
      context.df.setCustomStatus(`waiting: ${started.why}`);
      yield* waitUntil(context, started.until);
      continue;
    }
    context.df.setCustomStatus(`following job ${started.jobId}`);
    for (;;) {
      const reading = yield* readBackup({ hsm: asked.hsm, instance, jobId: started.jobId });
      if (reading.kind !== 'running') return reading;
      yield* waitUntil(context, reading.lookAgainOn);
    }
  }
}

function* keepCopy(context: OrchestrationContext, { hsm, purpose, scheduledFor }: BackUpHsmInput, landed: Landed) {
  const { copyBackup, sealBackup } = steps(context);
  const instance = context.df.instanceId;
  const { folder, container, jobId, takenOn, completedOn } = landed;
  context.df.setCustomStatus(`copying ${folder}`);
  const copied = yield* copyBackup({ hsm, instance, folder });
  if (copied.kind !== 'copied') return copied;
  context.df.setCustomStatus(`sealing ${folder}`);
  const slot = scheduledFor === undefined ? {} : { scheduledFor };
  return yield* sealBackup({ hsm, instance, folder, container, jobId, takenOn, completedOn, purpose, ...slot });
}
