import { randomBytes } from 'node:crypto';
import type { AccessToken, TokenCredential } from '@azure/identity';
import type { Estate } from '../../estate.ts';
import { unixSeconds } from '../model.ts';
import type { HsmContents, ManagedHsm } from '../server.ts';
import { readArchive, writeArchive } from './archive.ts';
import { type BackupContainer, openContainer } from './container.ts';
import { folderName } from './folder.ts';
import { invalidRequest, type Job, JobFailure, type JobKind } from './job.ts';
import { createJobs, type Finish, type Jobs } from './jobs.ts';
import { type BackupReadings, defaultBackupReadings } from './readings.ts';
import { backupRoutes } from './routes.ts';
import { sasFault } from './sas.ts';

/** What a caller asks for, after its shape has been checked. */
export interface JobRequest {
  container: string;
  sas?: string;
  /** Absent for a backup: it makes its own. */
  folder?: string;
  key?: string;
  effect?: Job['effect'];
}

export interface FullBackups {
  readonly readings: BackupReadings;
  readonly jobs: Jobs;
  /** Names of the user-assigned identities attached to the HSM; the first of them goes to the storage. */
  readonly identities: Set<string>;
  /** Completed full backups of this HSM, Unix seconds, oldest first. */
  readonly completed: readonly number[];
  /** Whether the control surface holds the HSM busy with a backup that is no job. */
  isBusy(): boolean;
  start(kind: JobKind, request: JobRequest): Job;
  /** Says why a full restore may not start by the 30-minute rule. */
  restoreRefusal(): JobFailure | undefined;
  /** Fails the running job, as for one that is stuck. False when there is none. */
  endRunning(message: string): boolean;
  save(): unknown;
  load(saved: unknown): void;
  reset(): void;
  stop(): void;
}

interface Saved {
  jobs: Job[];
  completed: number[];
  identities: string[];
}

const HALF_HOUR = 1800;
const SLOWNESS = 10;

/** Gives an HSM full backup, restore and selective restore. Jobs, their times and what they wrote survive save and load. */
export function addFullBackups(options: {
  hsm: ManagedHsm;
  estate: Estate;
  region: string;
  /** A token for storage of an identity that is attached to the HSM. */
  storageToken(identity: string): Promise<{ token: string; expiresOn: number }>;
  /** Attached from the start, and again after a reset. */
  identities?: readonly string[];
  readings?: Partial<BackupReadings>;
}): FullBackups {
  const { hsm, estate } = options;
  const chosen: BackupReadings = { ...defaultBackupReadings, ...options.readings };
  const readings = { ...chosen };
  const identities = new Set(options.identities);
  let completed: number[] = [];
  const now = () => unixSeconds(estate.clock.now());
  const jobs = createJobs({ clock: estate.clock, perform, onChange });

  function onChange(job: Job): void {
    if (job.kind === 'backup' && job.status === 'Succeeded') completed.push(now());
    const blocks = job.kind === 'restore' || (job.kind === 'selectiveRestore' && readings.selectiveRestoreBlocks);
    if (job.status !== 'InProgress') hsm.setBusy(undefined);
    else if (blocks) hsm.setBusy({ kind: 'restore' });
    else if (job.kind === 'backup') hsm.setBusy({ kind: 'backup' });
  }

  async function perform(job: Job, signal: AbortSignal): Promise<Finish> {
    // The state of the HSM at the request: a backup is of one instant.
    const contents = job.kind === 'backup' ? hsm.contents() : undefined;
    const container = await openContainer(job.container, accessOf(job), signal);
    if (contents) return backUp(job, container, contents);
    if (job.kind === 'prebackup') {
      await demandMutable(container);
      return () => ({});
    }
    const refusal = job.kind === 'selectiveRestore' ? undefined : restoreRefusal(job.startTime);
    if (refusal) throw refusal;
    const restored = await readArchive(container, job.folder, hsm.securityDomain);
    return () => restore(job, restored);
  }

  async function backUp(job: Job, container: BackupContainer, contents: HsmContents): Promise<Finish> {
    await demandMutable(container);
    const { keysPerBlob, partitionBlobs, partitionBytes } = readings;
    const flaw = job.effect === 'failJob' ? 'incomplete' : job.effect === 'damagedBackup' ? 'damaged' : undefined;
    await writeArchive(container, contents, {
      ...{ hsm: hsm.name, folder: job.folder, domain: hsm.securityDomain, createdOn: new Date(job.startTime * 1000) },
      ...{ keysPerBlob, partitionBlobs, partitionBytes },
      ...(flaw ? { flaw } : {}),
    });
    return () => {
      failOnDemand(job);
      return {};
    };
  }

  function restore(job: Job, contents: HsmContents): ReturnType<Finish> {
    failOnDemand(job);
    if (job.kind === 'prerestore') return {};
    if (job.key === undefined) {
      hsm.replaceContents(contents);
      return {};
    }
    const versions = restoreKey(contents, job.key);
    // Recorded text.
    const count = `Number of successful key versions restored: ${versions}`;
    return { statusDetails: `${count}, Number of key versions could not overwrite: 0` };
  }

  /** A name that is active or soft-deleted fails the job: the key has to be purged first (managed-hsm/backup-restore). */
  function restoreKey(contents: HsmContents, key: string): number {
    try {
      return hsm.restoreKeyFrom(contents, key).versions;
    } catch (error) {
      throw new JobFailure(
        'Invalid Request',
        (error as { code?: string }).code ?? 'BadRequest',
        (error as Error).message,
      );
    }
  }

  function accessOf(job: Job): { credential: TokenCredential } | { sas: string } {
    if (job.sas !== undefined) {
      const fault = sasFault(job.sas, readings, estate.clock.now());
      if (fault !== undefined) throw invalidRequest(fault);
      return { sas: job.sas };
    }
    const getToken = async (): Promise<AccessToken> => {
      const [identity] = identities;
      if (identity === undefined) throw invalidRequest('No user-assigned managed identity is attached to the HSM.');
      const { token, expiresOn } = await options.storageToken(identity);
      return { token, expiresOnTimestamp: expiresOn * 1000 };
    };
    if (identities.size === 0) throw invalidRequest('No user-assigned managed identity is attached to the HSM.');
    return { credential: { getToken } };
  }

  function restoreRefusal(at = now()): JobFailure | undefined {
    const { thirtyMinuteRule } = readings;
    const since = (time: number) => at - time;
    if (thirtyMinuteRule === 'none') return undefined;
    if (thirtyMinuteRule === 'within30') {
      if (completed.some((time) => since(time) <= HALF_HOUR)) return undefined;
      return invalidRequest('A full backup of this HSM must have been completed within the last 30 minutes.');
    }
    if (completed.some((time) => since(time) >= HALF_HOUR)) return undefined;
    return invalidRequest('A full backup of this HSM must have been completed at least 30 minutes before a restore.');
  }

  const seconds: Record<JobKind, () => number> = {
    prebackup: () => readings.precheckSeconds,
    prerestore: () => readings.precheckSeconds,
    backup: () => readings.backupSeconds,
    restore: () => readings.restoreSeconds,
    selectiveRestore: () => readings.selectiveRestoreSeconds,
  };

  const backups: FullBackups = {
    readings,
    jobs,
    identities,
    get completed() {
      return completed;
    },
    restoreRefusal,
    isBusy: () => hsm.busy === 'backup',
    start(kind, { folder, effect, ...request }) {
      const at = estate.clock.now();
      const slow = effect === 'slowJob' ? SLOWNESS : 1;
      const job: Job = {
        ...request,
        ...(effect ? { effect } : {}),
        jobId: randomBytes(16).toString('hex'),
        kind,
        folder: folder ?? folderName(hsm.name, at, readings.folderStamp),
        startTime: unixSeconds(at),
        dueAt: at.getTime() + seconds[kind]() * slow * 1000,
        ...(effect === 'failAtOnce' ? failedAtOnce(at) : UNDER_WAY),
      };
      jobs.start(job);
      return job;
    },
    endRunning: (message) => jobs.fail(new JobFailure('InternalError', 'InternalError', message)),
    save: (): Saved => ({ jobs: jobs.all(), completed, identities: [...identities] }),
    load(saved) {
      const state = saved as Saved;
      completed = [...state.completed];
      identities.clear();
      for (const identity of state.identities) identities.add(identity);
      jobs.load(state.jobs);
    },
    reset() {
      jobs.load([]);
      hsm.setBusy(undefined);
      Object.assign(readings, chosen);
      completed = [];
      identities.clear();
      for (const identity of options.identities ?? []) identities.add(identity);
    },
    stop: () => jobs.suspend(),
  };
  hsm.extend(backupRoutes(backups, { url: () => hsm.uri, region: options.region, now: estate.clock.now }));
  return backups;
}

const UNDER_WAY = { status: 'InProgress', endTime: null, statusDetails: null, error: null } as const;

/** Recorded in 2021: a 202 whose body says that the job has failed. */
const failedAtOnce = (at: Date) => {
  const code = 'ResourceNotFound';
  const error = { code, message: 'The operation failed by a fault set through the control surface.' };
  return { status: 'Failed', endTime: unixSeconds(at), statusDetails: code, error } as const;
};

function failOnDemand(job: Job): void {
  if (job.effect !== 'failJob') return;
  throw new JobFailure(
    'InternalError',
    'InternalError',
    'The operation failed by a fault set through the control surface.',
  );
}

/** Documented: a storage account with an immutability policy is not supported (managed-hsm/backup-restore). Text: ours. */
async function demandMutable(container: BackupContainer): Promise<void> {
  if (await container.isImmutable()) {
    throw invalidRequest('The storage has an immutability policy, which a full backup does not support.');
  }
}
