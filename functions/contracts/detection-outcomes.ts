import type { Failed } from './outcomes.ts';

export interface StoredFindingRef {
  id: string;
  day: string;
}

/** What the activities of the audit sweep answer when nothing failed. Ids and counts; rows stay out of histories. */
export interface DetectionActivityOutcomes {
  sendCanary: { kind: 'sent'; answered: boolean } | { kind: 'off' };
  learnBaseline: { kind: 'learnt'; upTo: string; hours: number; done: boolean };
  judgeWindow:
    | {
        kind: 'judged';
        findings: StoredFindingRef[];
        /** Calls that no earlier window gave. */
        calls: number;
        /** Groups that the workspace counted and did not send. */
        more: number;
        upTo: string;
        /** More of the log is due. */
        behind: boolean;
      }
    /** Nothing has arrived since. */
    | { kind: 'nothing' }
    /** The first look at this HSM: the baseline is learnt first. */
    | { kind: 'unlearnt' }
    | { kind: 'off' };
  raiseFindings: { kind: 'raised'; published: number };
  /** `superseded`: somebody judged on meanwhile. */
  commitWindow: { kind: 'committed' | 'superseded' };
  noteBlindness: { kind: 'noted'; failures: number; findings: StoredFindingRef[] };
}

export type DetectAnomaliesOutcome =
  | { kind: 'detected'; windows: number; calls: number; findings: number; behind: boolean }
  | { kind: 'off' }
  | Failed;
