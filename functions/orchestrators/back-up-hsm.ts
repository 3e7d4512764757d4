import type { OrchestrationContext, Task } from 'durable-functions';
import type { BackUpHsmInput } from '../contracts/backup-inputs.ts';
import type { BackUpHsmOutcome, BackupRefused, BackupSummary } from '../contracts/backup-outcomes.ts';
import { type Failed, isFailed } from '../contracts/outcomes.ts';
import { noticeId } from '../instance-ids.ts';
import { run, type Step, steps, waitUntil } from '../steps.ts';
import { takeHsm } from './take-hsm.ts';
import { firstLine } from './tell.ts';
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
  const instance = context.df.instanceId;
  const startedOn = context.df.currentUtcDateTime.toISOString();
  let made: Made;
  try {
    made = yield* make(context, input);
  } catch (spent) {
    // Told, then thrown on: the instance shows Failed. An attempt left as running would keep every later one waiting.
    yield* endFailed(context, input, givenUp(hsm, spent));
    throw spent;
  }
  if (made.kind === 'notStarted') return made.outcome;
  if (made.kind === 'stopped') {
    yield* endFailed(context, input, made.outcome);
    return made.outcome;
  }
  yield* steps(context).endBackupAttempt({ hsm, instance, result: 'landed' });
  const { jobId, record } = made;
  const endedOn = context.df.currentUtcDateTime.toISOString();
  const outcome: BackUpHsmOutcome = { kind: 'backedUp', backup: record, jobId, startedOn, endedOn };
  // Before a restore nothing goes: it may be what is restored.
  const pruned = under === undefined ? yield* prune(context, hsm) : [];
  context.df.setCustomStatus('telling');
  yield* tellBackup(context, input, outcome, pruned);
  return outcome;
}

type Made =
  | { kind: 'sealed'; jobId: string; record: BackupSummary }
  | { kind: 'stopped'; outcome: BackupRefused | Failed }
  /** The HSM was not ours, so there is no attempt either. */
  | { kind: 'notStarted'; outcome: Extract<BackUpHsmOutcome, { kind: 'deferred' }> | Failed };

/** From the lock to the sealed copy. */
function* make(context: OrchestrationContext, input: BackUpHsmInput): Step<Made> {
  const { hsm, under } = input;
  const holder = context.df.instanceId;
  if (under === undefined) {
    const taken = yield* takeHsm(context, hsm, 'backup');
    if (taken.kind === 'busy') {
      const { explanation } = taken;
      return { kind: 'notStarted', outcome: { kind: 'deferred', reason: 'HsmBusy', explanation } };
    }
    if (taken.kind === 'failed') return { kind: 'notStarted', outcome: taken };
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
    if (under === undefined) yield* steps(context).unlockHsm({ hsm, holder });
  }
  if (landed.kind !== 'landed') return { kind: 'stopped', outcome: landed };
  const sealed = isFailed(taken) ? taken : yield* keepCopy(context, input, landed);
  if (sealed.kind !== 'sealed') return { kind: 'stopped', outcome: sealed };
  return { kind: 'sealed', jobId: landed.jobId, record: sealed.record };
}

function* endFailed(context: OrchestrationContext, input: BackUpHsmInput, outcome: BackupRefused | Failed): Step<void> {
  const instance = context.df.instanceId;
  yield* steps(context).endBackupAttempt({ hsm: input.hsm, instance, result: 'failed' });
  yield* tellBackup(context, input, outcome);
}

const givenUp = (hsm: string, spent: unknown): Failed => ({
  kind: 'failed',
  code: 'ERR_TRANSIENT',
  message: `The backup of ${hsm} was given up: ${firstLine(spent)}`,
  nextStep: 'Look at the health of the HSM and of the storage accounts; it is tried again as the rule of the HSM says.',
});

function* prune(context: OrchestrationContext, hsm: string): Step<string[]> {
  context.df.setCustomStatus('pruning');
  try {
    const pruned = yield* steps(context).pruneBackups({ hsm, instance: context.df.instanceId, dryRun: false });
    if (isFailed(pruned)) return [];
    for (const { id, notice, repeatAfter } of pruned.notices ?? []) {
      yield* run(context, 'deliverNotification', { id, notice, repeatAfter }, noticeId(context.df.instanceId, id));
    }
    return pruned.removed;
  } catch (spent) {
    // The backup is there; what should go does so after the next one.
    if (!context.df.isReplaying) context.warn(`nothing was pruned: ${firstLine(spent)}`);
    return [];
  }
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
