import type { BackupJob } from '../backup/backup.ts';
import type { KeyRef } from '../keys/key.ts';

/**
 * Why the service does not do it. `busy`: another backup or restore runs, which may be our own whose reply was lost.
 * `tooSoon` and `tooLate`: the 30 minutes between a backup of the target and its restore, in either reading of them; waiting
 * mends the first, a new backup the second. `refused`: anything else.
 */
export type RefusalCause = 'busy' | 'tooSoon' | 'tooLate' | 'refused';

export interface JobRefusal {
  kind: RefusalCause;
  /** The service's own code and words. */
  code: string;
  reason: string;
  /** Set when the job was accepted and had failed already. */
  jobId?: string;
}

export type JobStart =
  | { kind: 'started'; jobId: string; retryAfterMs?: number }
  | JobRefusal
  /** The reply was lost: a job may run. Look at the landing container and wait for `busy` to end before starting again. */
  | { kind: 'unknown'; reason: string };

/** Backup checks and full backups are asked about as `backup`, everything else as `restore`. */
export type JobFamily = 'backup' | 'restore';

export type JobReading =
  | { kind: 'running'; job: BackupJob; retryAfterMs?: number }
  | { kind: 'succeeded'; job: BackupJob }
  | { kind: 'failed'; job: BackupJob; cause: RefusalCause; reason: string }
  /** The service does not know the job, or no longer. */
  | { kind: 'notFound' };

/**
 * Full backup and restore, as jobs of the service. An address is that of a container, or of a folder in one, without a SAS
 * token: the HSM uses its own identity.
 *
 * Starts are sent once and never replayed. Throws AppError: ERR_TRANSIENT or ERR_THROTTLED when nothing was started and
 * asking again may help, ERR_DENIED, ERR_HSM_BUSY when a restore keeps even readings away.
 */
export interface HsmBackups {
  /** Whether a backup into the container could be made. */
  preCheckBackup(hsm: string, containerUrl: string): Promise<JobStart>;
  startBackup(hsm: string, containerUrl: string): Promise<JobStart>;
  /** Whether the backup in the folder could be restored. */
  preCheckRestore(hsm: string, folderUrl: string): Promise<JobStart>;
  /** Replaces everything in the HSM. */
  startRestore(hsm: string, folderUrl: string): Promise<JobStart>;
  /** Brings back one key with all its versions; a key of that name must be purged first. */
  startKeyRestore(key: KeyRef, folderUrl: string): Promise<JobStart>;
  /** Asks once, without waiting. */
  readJob(hsm: string, family: JobFamily, jobId: string): Promise<JobReading>;
}
