import { hasCode } from '../../shared/errors.ts';
import type { JobFamily, JobStart } from '../../shared/ports/hsm-backups.ts';
import type { World } from '../world.ts';
import { changeRecovery, type SentJob, type StoredRecovery } from './recovery-records.ts';
import { announceStep, BUSY_PAUSE_MS, later, recoveryWorld, type StepResult } from './recovery-steps.ts';

const SHORTEST_PAUSE_MS = 10_000;
/** So often a job whose reply was lost each time, and which never took effect, is sent. */
const MOST_SENDS = 3;

export type Followed =
  | { kind: 'succeeded'; evidence: string }
  /** `ran`: the job began, and did not succeed. */
  | { kind: 'failed'; cause: string; reason: string; ran?: boolean }
  | StepResult;

interface Job {
  slot: 'safety' | 'restore';
  family: JobFamily;
  start(): Promise<JobStart>;
  /** What became of a start whose reply was lost, once it can no longer take effect. ERR_HSM_BUSY: a job runs. */
  effectSince(sentOn: string): Promise<{ kind: 'done'; evidence: string } | { kind: 'none' }>;
}

/**
 * Starts a job once, or asks how far it has come. That it is sent is written down before; after a lost reply the world says
 * what became of it, and only when nothing did is it sent again.
 */
export async function followJob(world: World, recovery: StoredRecovery, job: Job): Promise<Followed> {
  const { slot, family } = job;
  const now = world.clock.now();
  const sent = recovery[slot];
  if (sent?.jobId !== undefined) return read(world, recovery, family, sent.jobId);
  if (sent) {
    const settled = Date.parse(sent.sentOn) + world.settleMs(recovery.newHsm);
    if (settled > now.getTime()) return later(world, settled - now.getTime(), 'the reply to the start was lost');
    try {
      const effect = await job.effectSince(sent.sentOn);
      if (effect.kind === 'done') return { kind: 'succeeded', evidence: effect.evidence };
    } catch (error) {
      if (hasCode(error, 'ERR_HSM_BUSY')) return later(world, BUSY_PAUSE_MS, `${recovery.newHsm} restores`);
      throw error;
    }
    if ((sent.times ?? 1) >= MOST_SENDS) {
      const reason = `the reply to its start was lost ${sent.times} times, and nothing came of it`;
      return { kind: 'failed', cause: 'refused', reason };
    }
  }
  const noted: SentJob = { ...sent, sentOn: now.toISOString(), times: (sent?.times ?? 0) + 1 };
  const note = (entry: SentJob) => changeRecovery(world, recovery.id, (current) => ({ ...current, [slot]: entry }));
  await note(noted);
  const outcome = await announceStep(world, recovery, `hsm.${family}`, `${slot}-${noted.sentOn}`);
  const started = await job.start();
  switch (started.kind) {
    case 'started': {
      const { jobId } = started;
      await note({ ...noted, jobId });
      await outcome('done', { jobId });
      return later(world, Math.max(started.retryAfterMs ?? 0, SHORTEST_PAUSE_MS), `job ${jobId} runs`);
    }
    case 'unknown':
      await outcome('unknown', { reason: started.reason });
      return later(world, world.settleMs(recovery.newHsm), 'the reply to the start was lost');
    case 'busy':
      // It may be our own job, whose reply was lost: then what it leaves behind will show it.
      await outcome('refused', { reason: started.reason });
      await (sent ? note(sent) : forgetJob(world, recovery, slot));
      return later(world, BUSY_PAUSE_MS, started.reason);
    default:
      await outcome('refused', { reason: started.reason });
      return { kind: 'failed', cause: started.kind, reason: started.reason };
  }
}

async function read(world: World, recovery: StoredRecovery, family: JobFamily, jobId: string): Promise<Followed> {
  try {
    const reading = await recoveryWorld(world).jobs.readJob(recovery.newHsm, family, jobId);
    switch (reading.kind) {
      case 'running':
        return later(world, Math.max(reading.retryAfterMs ?? 0, SHORTEST_PAUSE_MS), `job ${jobId} runs`);
      case 'succeeded':
        return { kind: 'succeeded', evidence: (family === 'backup' && reading.job.folderUri) || `job ${jobId}` };
      case 'failed':
        return { kind: 'failed', cause: reading.cause, reason: reading.reason, ran: true };
      case 'notFound':
        return { kind: 'failed', cause: 'refused', reason: `the service does not know the job ${jobId}` };
    }
  } catch (error) {
    // While it restores, an HSM answers nothing else.
    if (hasCode(error, 'ERR_HSM_BUSY')) return later(world, BUSY_PAUSE_MS, `${recovery.newHsm} restores`);
    throw error;
  }
}

/** Lets a job be sent anew. */
export const forgetJob = (world: World, recovery: StoredRecovery, slot: 'safety' | 'restore') =>
  changeRecovery(world, recovery.id, ({ [slot]: _, ...rest }) => rest as StoredRecovery);
