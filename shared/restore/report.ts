import type { BackupRecord } from '../backup/backup.ts';
import type { RestoreComparison, RestoreDifference } from './compare-with-manifest.ts';
import type { RestoreApproval } from './guard.ts';

/** What is kept in `evidence` of a restore that the service has carried out. */
export interface RestoreReport {
  version: 1;
  restore: string;
  installation: string;
  hsm: string;
  /** Set for a selective restore. */
  key?: string;
  backup: Pick<BackupRecord, 'id' | 'takenOn' | 'hsm'> & { manifestSha256?: string };
  /** Object ids. */
  requested: { by: string; at: string; reason: string };
  approved?: RestoreApproval;
  /** The backup of the target just before; absent for a single key. */
  safetyBackup?: string;
  startedOn: string;
  endedOn: string;
  /** What the restore was going to do, as it was shown to those who decided. */
  preview: string[];
  comparison: RestoreComparison;
}

/** One difference as one line. */
export function printDifference({ kind, severity, subject, attribute, expected, found }: RestoreDifference): string {
  const what = attribute === undefined ? kind : `${kind} ${attribute}`;
  const values = expected === undefined && found === undefined ? '' : `: ${expected ?? 'none'}, now ${found ?? 'none'}`;
  return `${severity}: ${subject} ${what}${values}`;
}
