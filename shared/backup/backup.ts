import { parseInstant, toIso } from '../time.ts';

/** What the service says of a full backup job. Instants are ISO texts. */
export interface BackupJob {
  /** 32 hex digits. */
  jobId: string;
  status: 'InProgress' | 'Succeeded' | 'Canceled' | 'Failed';
  statusDetails?: string;
  error?: { code?: string; message?: string };
  startedOn: string;
  endedOn?: string;
  /** Container with the new folder at its end; set once the job has succeeded. */
  folderUri?: string;
}

/**
 * How far a backup has come. `landed`: the service wrote it. `verified`: our copy is the same byte for byte. `locked`: the copy
 * can be neither changed nor deleted for a while. `proven`: it was restored and compared.
 */
export type BackupState = 'landed' | 'verified' | 'locked' | 'proven';

export const BACKUP_STATES: readonly BackupState[] = ['landed', 'verified', 'locked', 'proven'];

/** Why it was taken; `safety`: of the target of a restore, just before it. */
export type BackupPurpose = 'scheduled' | 'requested' | 'safety';

export interface BackupLocation {
  /** `https://{account}…/{container}`, without a slash at the end. */
  container: string;
  folder: string;
  region: string;
}

/** One entry of the catalogue. */
export interface BackupRecord {
  /** The folder's name: the HSM and the instant are in it. */
  id: string;
  hsm: string;
  /** Resource id of the HSM. */
  resourceId: string;
  /** Lineage of the security domain: only an HSM of the same one can restore it. */
  securityDomain: string;
  purpose: BackupPurpose;
  /** The slot of the schedule that it answers; absent unless `scheduled`. */
  scheduledFor?: string;
  /** From the folder's name: the state of the HSM that it holds. */
  takenOn: string;
  jobId: string;
  state: BackupState;
  /** When it reached each state so far. */
  reachedOn: Partial<Record<BackupState, string>>;
  landing: BackupLocation;
  /** The verified copy. */
  copy?: BackupLocation;
  lockedUntil?: string;
  /** The drill that proved it last. */
  provenBy?: string;
  /** The drill that restored it and found it wanting; cleared by one that passes. */
  doubt?: { on: string; drill: string; reason: string };
  manifest?: { path: string; sha256: string };
  keys: number;
  versions: number;
  blobs: number;
  bytes: number;
  /** Keys that no backup covers, because an external key manager holds them. */
  notCovered: string[];
  /** Since when retention removes the copy: it may lack blobs already, so nobody restores from it any more. */
  pruningSince?: string;
  /** When retention had removed the copy whole; the entry stays. */
  prunedOn?: string;
}

/** One that the retention lets go and that something holds: a legal hold, or a lock that ends later than the catalogue knows. */
export interface HeldBackup {
  id: string;
  takenOn: string;
  by: 'legalHold' | 'locked';
  /** ISO instant; absent where nobody knows. */
  until?: string;
  /** False once its removal has begun. */
  whole: boolean;
}

/** An attempt that ended without a backup; the catalogue keeps it beside the entries, because freshness counts it. */
export interface BackupAttempt {
  hsm: string;
  scheduledFor?: string;
  attempt: number;
  startedOn: string;
  endedOn?: string;
  result: 'running' | 'landed' | 'failed';
  jobId?: string;
}

/** The documentation shows 14 digits, a recording of 2022 shows 16; the first 14 are the UTC second of the request. */
const FOLDER_PATTERN = /^mhsm-(.+)-(\d{14}|\d{16})$/;

/** The HSM and the instant in the name of a backup folder; undefined for any other name, an impossible date included. */
export function parseFolder(folder: string): { hsm: string; takenOn: string } | undefined {
  const [, hsm, digits] = FOLDER_PATTERN.exec(folder) ?? [];
  if (hsm === undefined || digits === undefined) return undefined;
  const part = (from: number, to: number) => digits.slice(from, to);
  const date = `${part(0, 4)}-${part(4, 6)}-${part(6, 8)}`;
  const takenOn = parseInstant(`${date}T${part(8, 10)}:${part(10, 12)}:${part(12, 14)}Z`);
  return takenOn === undefined ? undefined : { hsm, takenOn: toIso(takenOn) };
}

/** Container and folder of the address that a job ends with; undefined when it ends with no backup folder. */
export function splitFolderUri(uri: string): { container: string; folder: string } | undefined {
  const path = uri.replace(/[?#].*$/, '').replace(/\/+$/, '');
  const cut = path.lastIndexOf('/');
  const folder = path.slice(cut + 1);
  return cut < 0 || parseFolder(folder) === undefined ? undefined : { container: path.slice(0, cut), folder };
}

/** Instance id of the orchestration, and so the dedupe key: a schedule that fires twice for one slot takes one backup. */
export const backupInstanceId = (hsm: string, slot: string, attempt = 1): string =>
  `backup-${hsm}-${slot.replace(/[^0-9A-Za-z]/g, '')}${attempt === 1 ? '' : `-${attempt}`}`;

export type JobVerdict =
  | { kind: 'running' }
  | { kind: 'succeeded'; container: string; folder: string; takenOn: string }
  | { kind: 'failed'; explanation: string; nextStep: string };

/**
 * What the job says, which alone counts: an answer of 202 may carry a job that has failed already. An error object whose
 * members are all empty is no error. A job that succeeded without naming a folder has not succeeded.
 */
export function judgeBackupJob(job: BackupJob): JobVerdict {
  switch (job.status) {
    case 'InProgress':
      return { kind: 'running' };
    case 'Canceled':
      return {
        kind: 'failed',
        explanation: `The service cancelled backup job ${job.jobId}${because(job)}.`,
        nextStep: 'Take the backup again; if it is cancelled again, ask Microsoft support with the id of the job.',
      };
    case 'Failed':
      return {
        kind: 'failed',
        explanation: `Backup job ${job.jobId} failed${because(job)}.`,
        nextStep:
          "Check that the HSM's identity holds Storage Blob Data Contributor on the landing account, that the container exists, that the account admits trusted services, and that no immutability policy is set on it.",
      };
    case 'Succeeded': {
      const place = job.folderUri === undefined ? undefined : splitFolderUri(job.folderUri);
      const folder = place === undefined ? undefined : parseFolder(place.folder);
      if (place !== undefined && folder !== undefined) return { kind: 'succeeded', ...place, takenOn: folder.takenOn };
      return {
        kind: 'failed',
        explanation: `Backup job ${job.jobId} succeeded, but names no backup folder: ${job.folderUri ?? 'nothing'}.`,
        nextStep: 'Look for the newest folder in the landing container, and take the backup again.',
      };
    }
  }
}

function because({ statusDetails, error }: BackupJob): string {
  const told = [error?.code, error?.message, statusDetails].filter((text) => text !== undefined && text !== '');
  return told.length === 0 ? '' : `: ${[...new Set(told)].join(', ')}`;
}
