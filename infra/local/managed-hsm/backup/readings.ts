/**
 * Switches for what public sources leave open or contradict about full backup and restore. Defaults are what was recorded
 * from the live service or, where nothing was, the reading that asks more of a client. May be changed while the HSM runs.
 */
export interface BackupReadings {
  /** Digits of the folder's stamp. Recorded in 2024 and 2026: 16, to the hundredth of a second. Documented: 14. */
  folderStamp: 'recorded' | 'documented';
  /** SAS tokens left the documentation in April 2026; the API still has them. Refused, so that nobody relies on one. */
  sasTokens: 'refuse' | 'accept';
  /**
   * When a full restore may start, as seen from completed full backups of the target. Until September 2022 the documentation
   * said within the last 30 minutes; since then at least 30 minutes before. How the service enforces it was not found.
   */
  thirtyMinuteRule: 'none' | 'within30' | 'atLeast30';
  /** How a restore is refused by that rule: not found. A pre-check always ends as a failed job. */
  thirtyMinuteRefusal: 'atOnce' | 'failedJob';
  /** Whether a selective restore shuts the data plane as a full one does: not found. */
  selectiveRestoreBlocks: boolean;
  /** Estate seconds. Recorded: 55, 55, 9 and 0. */
  backupSeconds: number;
  restoreSeconds: number;
  selectiveRestoreSeconds: number;
  precheckSeconds: number;
  /** What is inside the folder is not public: the sealed keys in blobs of this many, … */
  keysPerBlob: number;
  /** … and for each partition of the HSM a blob of this many bytes, streamed, so that backups of gigabytes can be played. */
  partitionBlobs: number;
  partitionBytes: number;
}

export const defaultBackupReadings: BackupReadings = {
  folderStamp: 'recorded',
  sasTokens: 'refuse',
  thirtyMinuteRule: 'atLeast30',
  thirtyMinuteRefusal: 'atOnce',
  selectiveRestoreBlocks: true,
  backupSeconds: 55,
  restoreSeconds: 55,
  selectiveRestoreSeconds: 9,
  precheckSeconds: 0,
  keysPerBlob: 250,
  // Three partitions. Source: managed-hsm/managed-hsm-technical-details.
  partitionBlobs: 3,
  partitionBytes: 16_384,
};
