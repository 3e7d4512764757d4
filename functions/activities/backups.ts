import { judgeBackupJob, parseFolder } from '../../shared/backup/backup.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { backupWorld } from './backup-world.ts';
import { putAttempt, readAttempt, type StoredAttempt } from './catalogue.ts';
import { announceOnHsm } from './hsm-acts.ts';
import { sha256Of } from './text.ts';

/** The service proposes a pace of its own; polling faster than this tells nothing sooner. */
const SHORTEST_PAUSE_MS = 10_000;
/** How long to leave a busy HSM alone before asking again. */
const BUSY_PAUSE_MS = 60_000;
/** The service names folders by the second of the request, by its own clock. */
const CLOCK_SKEW_MS = 120_000;

/** How long nothing must have come into a folder, where nobody can be asked whether its job has ended. */
const FOLDER_QUIET_MS = 5 * 60_000;

/** The service's own job. It is started at most once an attempt, and only the job itself says how it ended. */
export const backupActivities = (world: World) =>
  ({
    /**
     * Starts the job of one attempt. That it is sent is written down before; a repeat finds either the job, or that the reply
     * was lost. Then the landing container and the service tell what became of it, and nothing is sent again before they do.
     */
    async startBackup({ hsm, instance, purpose, cause, attempt, scheduledFor }) {
      const { service, vault, landingContainerUrl } = backupWorld(world);
      const now = world.clock.now();
      const known = await readAttempt(world.documents, hsm, instance);
      if (known?.jobId !== undefined) return { kind: 'started', jobId: known.jobId };
      if (known?.sentOn !== undefined) {
        const settled = Date.parse(known.sentOn) + world.settleMs(hsm);
        if (settled > now.getTime()) return wait(new Date(settled), 'the reply to the start was lost');
        const folder = await folderSince(vault, hsm, known.sentOn);
        if (folder) {
          const until = await quietFrom(world, known, folder);
          if (until > now) return wait(until, 'the folder of a lost start may still be written');
          const takenOn = parseFolder(folder)?.takenOn ?? known.sentOn;
          return { kind: 'landed', folder, container: landingContainerUrl, jobId: 'unknown', takenOn };
        }
      }
      const noted: StoredAttempt = {
        schema: 1,
        hsm,
        instance,
        attempt,
        startedOn: known?.startedOn ?? now.toISOString(),
        result: 'running',
        sentOn: now.toISOString(),
        ...(scheduledFor === undefined ? {} : { scheduledFor }),
      };
      await putAttempt(world.documents, noted);
      const outcome = await announceOnHsm(world, {
        act: 'hsm.backup',
        duty: 'backup',
        hsm,
        target: 'backup',
        instance,
        cause,
        count: { 'hsm.backup.start': 1 },
        lastsMinutes: 240,
        step: now.toISOString(),
        detail: { purpose, attempt, container: landingContainerUrl },
      });
      const started = await service.startBackup(hsm, landingContainerUrl);
      switch (started.kind) {
        case 'started':
          await putAttempt(world.documents, { ...noted, jobId: started.jobId });
          await outcome('done', { jobId: started.jobId });
          return { kind: 'started', jobId: started.jobId };
        case 'unknown':
          await outcome('unknown', { reason: started.reason });
          return wait(new Date(now.getTime() + world.settleMs(hsm)), 'the reply to the start was lost');
        case 'busy': {
          // It may be our own job, whose reply was lost: then its folder will show it.
          await outcome('refused', { reason: started.reason });
          const sentOn = known?.sentOn;
          const { sentOn: _, ...unsent } = noted;
          await putAttempt(world.documents, sentOn === undefined ? unsent : { ...noted, sentOn });
          return wait(new Date(now.getTime() + BUSY_PAUSE_MS), started.reason);
        }
        default:
          await outcome('refused', { reason: started.reason });
          return refused(started.code || 'RefusedByService', `The service refused the backup: ${started.reason}`, NEXT);
      }
    },

    /** Asks the job once. An answer of 202 or 200 means nothing by itself. */
    async readBackup({ hsm, jobId }) {
      const { service } = backupWorld(world);
      const now = world.clock.now();
      const reading = await service.readJob(hsm, 'backup', jobId);
      if (reading.kind === 'running') {
        const pause = Math.max(reading.retryAfterMs ?? 0, SHORTEST_PAUSE_MS);
        return { kind: 'running', lookAgainOn: new Date(now.getTime() + pause).toISOString() };
      }
      if (reading.kind === 'notFound') {
        return refused('JobNotFound', `The service does not know the job ${jobId} of ${hsm}.`, NEXT);
      }
      const verdict = judgeBackupJob(reading.job);
      switch (verdict.kind) {
        case 'running':
          return { kind: 'running', lookAgainOn: new Date(now.getTime() + SHORTEST_PAUSE_MS).toISOString() };
        case 'succeeded': {
          const { folder, container, takenOn } = verdict;
          const completedOn = reading.job.endedOn ?? now.toISOString();
          return { kind: 'landed', folder, container, jobId, takenOn, completedOn };
        }
        case 'failed':
          return refused('JobFailed', verdict.explanation, verdict.nextStep);
      }
    },

    async endBackupAttempt({ hsm, instance, result }) {
      const attempt = await readAttempt(world.documents, hsm, instance);
      const endedOn = world.clock.now().toISOString();
      if (attempt) await putAttempt(world.documents, { ...attempt, result, endedOn: attempt.endedOn ?? endedOn });
      return { kind: 'noted' };
    },
  }) satisfies Partial<ActivityHandlers>;

const NEXT =
  "Check that the HSM's identity holds Storage Blob Data Contributor on the landing account, that the container exists and admits trusted services, and that it has no immutability policy; then ask for a backup again.";

const wait = (until: Date, why: string) => ({ kind: 'wait' as const, until: until.toISOString(), why });

export const refused = (reason: string, explanation: string, nextStep: string) => ({
  kind: 'refused' as const,
  reason,
  explanation,
  nextStep,
});

/** From when on the folder counts as whole. A lost start has no job to ask, and its blobs may still be on their way. */
async function quietFrom(world: World, attempt: StoredAttempt, folder: string): Promise<Date> {
  const now = world.clock.now();
  const blobs = await backupWorld(world).vault.listLanding(folder);
  const state = blobs.map(({ name, size, etag }) => `${name} ${size} ${etag}`).sort();
  const digest = sha256Of(world)([folder, ...state].join('\n'));
  if (attempt.landing?.digest !== digest) {
    await putAttempt(world.documents, { ...attempt, landing: { digest, since: now.toISOString() } });
  }
  const since = attempt.landing?.digest === digest ? Date.parse(attempt.landing.since) : now.getTime();
  return new Date(since + FOLDER_QUIET_MS);
}

/** The folder that a start of ours made: the first one of this HSM from the moment when it was sent. */
export async function folderSince(
  vault: ReturnType<typeof backupWorld>['vault'],
  hsm: string,
  sentOn: string,
): Promise<string | undefined> {
  const from = Date.parse(sentOn) - CLOCK_SKEW_MS;
  const folders = await vault.landingFolders(`mhsm-${hsm}-`);
  return folders
    .flatMap((folder) => {
      const parsed = parseFolder(folder);
      return parsed && parsed.hsm === hsm && Date.parse(parsed.takenOn) >= from
        ? [{ folder, takenOn: parsed.takenOn }]
        : [];
    })
    .sort((a, b) => Date.parse(a.takenOn) - Date.parse(b.takenOn))[0]?.folder;
}
