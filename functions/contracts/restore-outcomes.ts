import type { RestoreVerdict } from '../../shared/restore/guard.ts';
import type { Failed, NoticeDue } from './outcomes.ts';

/** Why a restore did not come about, and what a person can do. */
export interface RestoreRefused {
  kind: 'refused';
  reason: string;
  explanation: string;
  nextStep: string;
}

/** What the comparison after a restore found, small enough for a history; the whole of it is in the report. */
export interface RestoreFindings {
  compared: { keys: number; versions: number; roleAssignments: number };
  critical: number;
  warnings: number;
  notes: number;
  /** The gravest differences, as lines. */
  differences: string[];
  /** Path in the container `evidence`, without its ending: `.json` and `.html`. */
  report: string;
}

/** What the activities of a restore answer when nothing failed. */
export interface RestoreActivityOutcomes {
  judgeRestore: Exclude<RestoreVerdict, { kind: 'refused' }> | RestoreRefused;
  stageBackup: { kind: 'staged'; blobs: number; putBack: number } | RestoreRefused;
  startRestore:
    | { kind: 'started'; jobId: string }
    /** Another job runs, or the reply to our start was lost: look again later. */
    | { kind: 'wait'; until: string; why: string }
    /** The start was lost, and the HSM shows that it took effect. */
    | { kind: 'done' }
    /** The 30-minute rule: judge again, which says what to wait for. */
    | { kind: 'again'; why: string }
    | RestoreRefused;
  readRestore:
    | { kind: 'running'; lookAgainOn: string }
    | { kind: 'done' }
    | { kind: 'again'; why: string }
    | RestoreRefused;
  compareRestore: { kind: 'compared'; findings: RestoreFindings } | RestoreRefused;
  endRestore: { kind: 'noted' };
  describeRestore: { kind: 'described' } & NoticeDue;
}

export type RestoreOutcome =
  | { kind: 'restored'; startedOn: string; endedOn: string; findings: RestoreFindings }
  | RestoreRefused
  | Failed;
