import type { BackupProof, DrillVerdict } from '../../shared/drill/report.ts';
import type { Failed, NoticeDue } from './outcomes.ts';

/** Why a drill did not begin, and what a person can do. */
export interface DrillRefused {
  kind: 'refused';
  reason: string;
  explanation: string;
  nextStep: string;
}

/** How a drill ended, small enough for a history; the whole of it is in the report. */
export interface DrillEnd {
  kind: DrillVerdict;
  /** Absent in histories of earlier builds. */
  proof?: BackupProof;
  drill: string;
  hsm: string;
  target: string;
  backup: string;
  startedOn: string;
  endedOn: string;
  /** Seconds. */
  rpo?: number;
  /** Seconds; absent when the restored HSM was never verified. */
  rto?: number;
  reasons: string[];
  nextSteps: string[];
  /** Path in the container `evidence`, without its ending: `.json` and `.html`. */
  report: string;
}

/** Nothing of a temporary HSM runs any more; without dates where nothing was made. */
export interface DrillHsmGone {
  kind: 'gone';
  hsm: string;
  deletedOn?: string;
  /** When the service purges it by itself; it is billed until then. */
  goneOn?: string;
}

/** A temporary HSM goes on running, and a person has to remove it. */
export interface DrillHsmRemains {
  kind: 'remains';
  explanation: string;
}

export type TearDownOutcome = DrillHsmGone | DrillHsmRemains;

/** What the activities of a drill answer when nothing failed. */
export interface DrillActivityOutcomes {
  startDueDrill:
    | { kind: 'started' | 'running' | 'kept' | 'off'; explanation: string }
    /** Histories of earlier builds carry no notices. */
    | { kind: 'refused'; explanation: string; notices?: NoticeDue[] };
  /** `rehearsal`: id of the recovery that is rehearsed, where the target has to be made first. */
  prepareDrill: { kind: 'prepared'; target: string; rehearsal?: string } | DrillRefused;
  keepDrillSentinels: { kind: 'kept'; sentinels: number; made: number } | DrillRefused;
  compareDrill: { kind: 'compared'; keys: number; versions: number; critical: number } | DrillRefused;
  tryDrillSentinels: { kind: 'tried'; ok: number; failed: number; notTried: number };
  closeDrill: { kind: 'closed'; end: DrillEnd } | DrillRefused;
  describeDrill: { kind: 'described' } & NoticeDue;
  removeDrillHsm: DrillHsmGone | { kind: 'later'; until: string; why: string } | DrillHsmRemains;
  describeDrillRemains: { kind: 'described' } & NoticeDue;
  sweepDrillHsms: { kind: 'swept'; started: number };
}

export type RestoreDrillOutcome = DrillEnd | DrillRefused | Failed;
