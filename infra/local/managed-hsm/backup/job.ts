export type JobKind = 'prebackup' | 'backup' | 'prerestore' | 'restore' | 'selectiveRestore';

/** Misbehaviours that can be asked for through the control surface, as the `effect` of a fault. */
export const JOB_EFFECTS = ['failAtOnce', 'failJob', 'stuckJob', 'slowJob', 'damagedBackup'] as const;
export type JobEffect = (typeof JOB_EFFECTS)[number];

export interface JobError {
  code: string;
  message: string;
}

/** One long-running operation of an HSM, as it is kept and saved. */
export interface Job {
  /** 32 hex digits. */
  jobId: string;
  kind: JobKind;
  /** Address of the container; `sas` when the caller gave one instead of the HSM's identity. */
  container: string;
  sas?: string;
  /** The folder written or read. */
  folder: string;
  /** Of a selective restore. */
  key?: string;
  effect?: JobEffect;
  /** Unix seconds. */
  startTime: number;
  /** Unix milliseconds at which it ends when nothing goes wrong. */
  dueAt: number;
  status: 'InProgress' | 'Succeeded' | 'Failed';
  endTime: number | null;
  statusDetails: string | null;
  error: JobError | null;
}

/** Ends a job as `Failed`: the status URL then answers 200 with this. */
export class JobFailure extends Error {
  override name = 'JobFailure';
  readonly statusDetails: string;
  readonly code: string;

  constructor(statusDetails: string, code: string, message: string) {
    super(message);
    this.statusDetails = statusDetails;
    this.code = code;
  }
}

/** Recorded form of a request that the HSM cannot carry out (mhsm-failed-operations of Azure/azure-sdk-assets). */
export const invalidRequest = (message: string) => new JobFailure('Invalid Request', 'BadRequest', message);

/** Recorded in 2021 and by Azure/azure-sdk-for-cpp: a storage error's code becomes both the detail and the code. */
export const storageFailure = (code: string, message: string) => new JobFailure(code, code, message);

const isBackup = (job: Job) => job.kind === 'backup' || job.kind === 'prebackup';

/** Backup jobs are polled at /backup, all others at /restore; pre-checks share the URLs of what they check. */
export const statusPath = (job: Job): string => `/${isBackup(job) ? 'backup' : 'restore'}/${job.jobId}/pending`;

export const belongsTo = (job: Job, family: 'backup' | 'restore'): boolean => (family === 'backup') === isBackup(job);

/** `azureStorageBlobContainerUri` names the new folder, and only once the backup has succeeded. */
const folderUri = (job: Job): string | null =>
  job.kind === 'backup' && job.status === 'Succeeded' ? `${job.container.replace(/\/$/, '')}/${job.folder}` : null;

/** Recorded order of members: that of a backup's 202 differs from its polls. Times are Unix seconds. */
export function acceptedBody(job: Job): Record<string, unknown> {
  if (!isBackup(job)) return polledBody(job);
  const { status, statusDetails, startTime, endTime, jobId } = job;
  const error = errorBody(job);
  return { status, statusDetails, error, startTime, endTime, jobId, azureStorageBlobContainerUri: folderUri(job) };
}

export function polledBody(job: Job): Record<string, unknown> {
  const { endTime, jobId, startTime, status, statusDetails } = job;
  const common = { endTime, error: errorBody(job), jobId, startTime, status, statusDetails };
  return isBackup(job) ? { azureStorageBlobContainerUri: folderUri(job), ...common } : common;
}

const errorBody = ({ error }: Job) => error && { code: error.code, innererror: null, message: error.message };
