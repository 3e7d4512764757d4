import type { HeldBackup } from '../../shared/backup/backup.ts';
import type { Retention } from '../../shared/backup/decide-retention.ts';
import type { Freshness } from '../../shared/backup/freshness.ts';
import type { Failed, NoticeDue } from './outcomes.ts';

/** Why a backup did not come about, and what a person can do. */
export interface BackupRefused {
  kind: 'refused';
  reason: string;
  explanation: string;
  nextStep: string;
}

/** What the activities of a backup answer when nothing failed. */
export interface BackupActivityOutcomes {
  lockHsm: { kind: 'locked' } | { kind: 'held'; by: string };
  unlockHsm: { kind: 'unlocked' };
  startBackup:
    | { kind: 'started'; jobId: string }
    /** Another job runs, or the reply to our start was lost: look again later. */
    | { kind: 'wait'; until: string; why: string }
    /** The start was lost, and the folder that it made was found. */
    | { kind: 'landed'; folder: string; container: string; jobId: string; takenOn: string }
    | BackupRefused;
  readBackup:
    | { kind: 'running'; lookAgainOn: string }
    | { kind: 'landed'; folder: string; container: string; jobId: string; takenOn: string; completedOn: string }
    | BackupRefused;
  endBackupAttempt: { kind: 'noted' };
  takeInventory: { kind: 'taken'; keys: number };
  copyBackup: { kind: 'copied'; blobs: number; bytes: number } | BackupRefused;
  sealBackup: { kind: 'sealed'; record: BackupSummary } | BackupRefused;
  /** `held`: what should go and cannot; absent where there is none. */
  pruneBackups: {
    kind: 'pruned';
    retention: Retention;
    removed: string[];
    held?: HeldBackup[];
    notices?: NoticeDue[];
  };
  describeBackup: { kind: 'described' } & NoticeDue;
  startDueBackup: { kind: 'started' | 'running' | 'kept' | 'deferred' | 'refused' | 'off'; explanation: string };
  tidyBackups: { kind: 'tidied'; putAway: number; dropped: number };
  watchFreshness: { kind: 'watched'; freshness: Freshness; notices: NoticeDue[] } | { kind: 'off' };
}

/** The figures of one backup, small enough for a history. */
export interface BackupSummary {
  id: string;
  hsm: string;
  takenOn: string;
  lockedUntil: string;
  keys: number;
  versions: number;
  blobs: number;
  bytes: number;
  notCovered: string[];
  manifest: { path: string; sha256: string };
}

export type BackUpHsmOutcome =
  | { kind: 'backedUp'; backup: BackupSummary; jobId: string; startedOn: string; endedOn: string }
  /** Another operation has the HSM; the next look asks again. */
  | { kind: 'deferred'; reason: 'HsmBusy'; explanation: string }
  | BackupRefused
  | Failed;
