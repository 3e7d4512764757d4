import { AppError, hasCode } from '../../shared/errors.ts';
import type { JobStart, RefusalCause } from '../../shared/ports/hsm-backups.ts';
import { compareWithManifest } from '../../shared/restore/compare-with-manifest.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { backupWorld } from './backup-world.ts';
import { refused } from './backups.ts';
import { announceOnHsm } from './hsm-acts.ts';
import { demandJournaled } from './journaled-decision.ts';
import { judgeStoredRestore, safetyOf } from './restore-guard.ts';
import { inventoryAfter } from './restore-report.ts';
import {
  findBackup,
  manifestOf,
  putOutcome,
  putProgress,
  readApproval,
  readProgress,
  readRestoreRequest,
  restoreMatter,
  type StoredRestore,
} from './restore-requests.ts';

/** The service proposes a pace of its own; polling faster than this tells nothing sooner. */
const SHORTEST_PAUSE_MS = 10_000;
/** How long to leave a busy HSM alone before asking again. */
const BUSY_PAUSE_MS = 60_000;
/** So often a restore whose reply was lost each time, and which never took effect, is sent. */
const MOST_SENDS = 3;

const NEXT =
  "Check that the HSM's identity may read the landing container and that the restore identity holds its role at /, then ask for the restore again; nothing was changed unless the job had begun.";

/** The service's own jobs. A restore is sent at most once an attempt, and only the job itself says how it ended. */
export const restoreActivities = (world: World) =>
  ({
    async judgeRestore({ instance, stage }) {
      return judgeStoredRestore(world, await requestOf(world, instance), stage);
    },

    /**
     * Starts the check or the restore. That a restore is sent is written down before; a repeat finds either the job, or that
     * the reply was lost. Then the HSM tells what became of it, and nothing is sent again before it does.
     */
    async startRestore({ hsm, instance, step, attempt }) {
      const request = await requestOf(world, instance);
      const now = world.clock.now();
      const wait = (ms: number, why: string) =>
        ({ kind: 'wait', until: new Date(now.getTime() + ms).toISOString(), why }) as const;
      if (step === 'check') {
        const checked = await begin(world, request, 'check');
        switch (checked.kind) {
          case 'started':
            return { kind: 'started', jobId: checked.jobId };
          case 'unknown':
            return wait(world.settleMs(hsm), 'the reply to the check was lost');
          case 'busy':
            return wait(BUSY_PAUSE_MS, checked.reason);
          default:
            return answerOf(world, request, `check-${attempt}`, checked.kind, checked.reason, checked.code);
        }
      }

      const progress = await readProgress(world.documents, instance);
      const sent = progress.sent?.attempt === attempt ? progress.sent : undefined;
      if (sent?.jobId !== undefined) return { kind: 'started', jobId: sent.jobId };
      if (sent) {
        const settled = Date.parse(sent.sentOn) + world.settleMs(hsm);
        if (settled > now.getTime()) return wait(settled - now.getTime(), 'the reply to the start was lost');
        const effect = await lookInto(world, request);
        if (effect === 'underWay') return wait(BUSY_PAUSE_MS, 'the reply to the start was lost, and the HSM restores');
        if (effect === 'done') return { kind: 'done' };
        if (sent.times >= MOST_SENDS) {
          const told = `The reply to the restore of ${hsm} was lost ${sent.times} times, and the HSM never changed.`;
          return refused('RestoreUnclear', told, NEXT);
        }
      }
      const approval = await approvalOf(world, request);
      if (approval.kind === 'refused') return approval;
      const noted = { attempt, sentOn: now.toISOString(), times: (sent?.times ?? 0) + 1 };
      await putProgress(world.documents, instance, { ...progress, sent: noted });
      const outcome = await announceOnHsm(world, {
        act: request.key === undefined ? 'hsm.restore' : 'key.restore',
        duty: 'restore',
        hsm,
        target: request.key === undefined ? 'restore' : `keys/${request.key}`,
        instance,
        cause: request.by,
        count: { [request.key === undefined ? 'hsm.restore.start' : 'key.restore']: 1 },
        lastsMinutes: 240,
        step: `${attempt}-${noted.times}`,
        detail: {
          backup: request.backup,
          reason: request.reason,
          approvedBy: approval.decision.by,
        },
      });
      const started = await begin(world, request, 'restore');
      switch (started.kind) {
        case 'started':
          await putProgress(world.documents, instance, { ...progress, sent: { ...noted, jobId: started.jobId } });
          await outcome('done', { jobId: started.jobId });
          return { kind: 'started', jobId: started.jobId };
        case 'unknown':
          await outcome('unknown', { reason: started.reason });
          return wait(world.settleMs(hsm), 'the reply to the start was lost');
        case 'busy':
          // It may be our own job, whose reply was lost: then the HSM will show it.
          await outcome('refused', { reason: started.reason });
          await putProgress(world.documents, instance, sent ? { ...progress, sent: noted } : progress);
          return wait(BUSY_PAUSE_MS, started.reason);
        default:
          await outcome('refused', { reason: started.reason });
          await putProgress(world.documents, instance, progress);
          return answerOf(world, request, `restore-${attempt}`, started.kind, started.reason, started.code);
      }
    },

    /** Asks the job once. */
    async readRestore({ hsm, instance, step, attempt, jobId }) {
      const request = await requestOf(world, instance);
      const reading = await restoresOf(world).readJob(hsm, 'restore', jobId);
      switch (reading.kind) {
        case 'running': {
          const pause = Math.max(reading.retryAfterMs ?? 0, SHORTEST_PAUSE_MS);
          return { kind: 'running', lookAgainOn: new Date(world.clock.now().getTime() + pause).toISOString() };
        }
        case 'succeeded':
          return { kind: 'done' };
        case 'notFound':
          return refused('JobNotFound', `The service does not know the job ${jobId} of ${hsm}.`, NEXT);
        case 'failed':
          return answerOf(world, request, `${step}-${attempt}`, reading.cause, reading.reason, 'JobFailed');
      }
    },

    async endRestore({ instance, outcome }) {
      await putOutcome(world.documents, instance, outcome);
      return { kind: 'noted' };
    },
  }) satisfies Partial<ActivityHandlers>;

export async function requestOf(world: World, id: string): Promise<StoredRestore> {
  const request = await readRestoreRequest(world.documents, id);
  if (request) return request;
  throw new AppError('ERR_INPUT', `Nobody asked for the restore ${id}, or its request was removed.`, {
    nextStep: 'Ask for the restore again.',
  });
}

/** The decision as the journal has it: what is stored is believed only where the two agree. */
async function approvalOf(world: World, request: StoredRestore) {
  const stored = await readApproval(world.documents, request.id);
  if (stored?.decision === 'approved') return demandJournaled(world, restoreMatter(world, request), stored);
  return refused('ApprovalMissing', `Nobody approved the restore ${request.id}.`, 'Ask for the restore again.');
}

/** What a restore needs beside backups, or a fault that says which setting is missing. */
function restoresOf(world: World) {
  const { restores } = backupWorld(world);
  if (restores) return restores;
  throw new AppError('ERR_CONFIG', 'This installation restores nothing: no identity has the duty.', {
    nextStep: 'Set MHSM_IDENTITY_RESTORE and grant it the role Key lifecycle: restore.',
  });
}

function begin(world: World, { hsm, key, backup }: StoredRestore, step: 'check' | 'restore'): Promise<JobStart> {
  const restores = restoresOf(world);
  const folder = `${backupWorld(world).landingContainerUrl}/${backup}`;
  if (step === 'check') return restores.preCheckRestore(hsm, folder);
  return key === undefined ? restores.startRestore(hsm, folder) : restores.startKeyRestore({ hsm, name: key }, folder);
}

/**
 * What the service says about the age of the safety backup is kept, once, and judged again; anything else ends the restore.
 * Of a single key nothing is known of such a rule, so there every refusal ends it.
 */
async function answerOf(
  world: World,
  request: StoredRestore,
  id: string,
  cause: RefusalCause,
  reason: string,
  code: string,
) {
  const { completedOn } = await safetyOf(world, request);
  if ((cause !== 'tooSoon' && cause !== 'tooLate') || completedOn === undefined) {
    return refused(code || 'RefusedByService', `The service refused the restore: ${reason}`, NEXT);
  }
  const progress = await readProgress(world.documents, request.id);
  if (!progress.answers.some((answer) => answer.id === id)) {
    const answer = { id, answer: cause, completedOn, at: world.clock.now().toISOString() };
    await putProgress(world.documents, request.id, { ...progress, answers: [...progress.answers, answer] });
  }
  return { kind: 'again', why: reason } as const;
}

/** Whether a restore whose reply was lost took effect. While one runs, the HSM refuses everything else. */
async function lookInto(world: World, request: StoredRestore): Promise<'underWay' | 'done' | 'nothing'> {
  const record = await findBackup(world.documents, request.backup);
  const found = record && (await manifestOf(world, record));
  if (found?.kind !== 'manifest') return 'nothing';
  try {
    const inventory = await inventoryAfter(world, request, found.manifest);
    const scope = request.key === undefined ? {} : { key: request.key };
    return compareWithManifest(found.manifest, inventory, scope).critical === 0 ? 'done' : 'nothing';
  } catch (error) {
    if (hasCode(error, 'ERR_HSM_BUSY')) return 'underWay';
    throw error;
  }
}
