import type { BackupPurpose, HeldBackup } from '../backup/backup.ts';
import type { Freshness } from '../backup/freshness.ts';
import type { Denial, ErrorCode } from '../errors.ts';
import type { NoticeRule } from '../policy/rule.ts';

interface AboutHsm {
  /** ISO instant of what happened. */
  at: string;
  hsm: string;
  /** Who cares for the HSM, by its effective rule. */
  notify: NoticeRule;
}

export interface NoticeFailure {
  code?: ErrorCode;
  message: string;
  nextStep: string;
  denial?: Denial;
}

/** A figure of a drill against its objective, in seconds. */
export interface NoticeObjective {
  seconds?: number;
  objectiveSeconds: number;
}

interface AboutDrill extends AboutHsm {
  drill: string;
  /** The HSM that was restored to. */
  target: string;
  backup: string;
  takenOn: string;
  keys: number;
  rpo: NoticeObjective;
  rto: NoticeObjective;
  reasons: string[];
  nextSteps: string[];
  /** Where the report lies: a path in the container `evidence`. */
  report: string;
}

interface AboutIncident extends AboutHsm {
  incident: string;
  severity: 'Informational' | 'Low' | 'Medium' | 'High' | 'Critical';
  /** The intruder, the key or the HSM that it is about. */
  subject: string;
  /** What was gained, in words. */
  gained: string;
  /** Titles of the newest findings, and how many there are. */
  findings: string[];
  findingsInAll: number;
  keys: string[];
}

/** A step that waits for people. */
export interface NoticeStep {
  id: string;
  title: string;
  why: string;
  /** How many people must agree; 0: people do it and say so. */
  approvals: number;
  until?: string;
  /** What whoever decides must see. */
  shown: string[];
}

/** What people are told of an HSM as a whole. Stored in histories, so fields are added, never renamed. */
export type HsmNotice =
  /** Good news in numbers: fit for a digest. */
  | (AboutHsm & {
      kind: 'BackupCompleted';
      backup: string;
      purpose: BackupPurpose;
      takenOn: string;
      keys: number;
      versions: number;
      bytes: number;
      seconds: number;
      copyRegion: string;
      lockedUntil?: string;
      /** Externally held keys. */
      notCovered: string[];
      pruned: string[];
      warnings: string[];
    })
  | (AboutHsm & {
      kind: 'BackupFailed';
      scheduledFor?: string;
      attempt: number;
      /** `backup`, `copy`, `verify`, `lock`, … */
      step: string;
      /** When it is tried again; absent: not before the next slot. */
      retryOn?: string;
      lastGood?: { backup: string; takenOn: string };
      failure: NoticeFailure;
    })
  /** The newest backup, the newest verified one or the newest proof is older than the rule allows. */
  | (AboutHsm & { kind: 'BackupOverdue'; freshness: Freshness })
  /** What the retention lets go stays, because something holds it. */
  | (AboutHsm & { kind: 'BackupHeld'; backups: HeldBackup[] })
  | (AboutDrill & { kind: 'DrillPassed' })
  /** `result`: `failed` or `inconclusive`; the second contradicts nothing, and proves nothing. */
  | (AboutDrill & {
      kind: 'DrillFailed';
      result: 'failed' | 'inconclusive';
      /** What it says of the backup; absent in histories of earlier builds. */
      proof?: 'proven' | 'contradicted' | 'undecided';
    })
  /** A drill that was due did not begin; or will not, when it is `dueOn`, as the policy stands. */
  | (AboutHsm & { kind: 'DrillRefused'; reason: string; explanation: string; nextStep: string; dueOn?: string })
  /** The temporary HSM of a drill could not be removed, and is billed. */
  | (AboutHsm & {
      kind: 'DrillHsmRemains';
      drill: string;
      target: string;
      explanation: string;
      commands: string[];
      costPerHour?: string;
    })
  /** Somebody wants to wipe an HSM and put a backup in its place; another person has to approve. */
  | (AboutHsm & {
      kind: 'RestoreRequested';
      restore: string;
      backup: string;
      takenOn: string;
      by: string;
      note?: string;
      until: string;
      /** What it would do, the gravest first. */
      preview: string[];
    })
  | (AboutHsm & {
      kind: 'RestoreCompleted';
      restore: string;
      backup: string;
      takenOn: string;
      /** Set for a selective restore. */
      key?: string;
      by: string;
      approvedBy?: string;
      seconds: number;
      compared: { keys: number; versions: number };
      critical: number;
      warnings: number;
      /** The gravest differences from the manifest, as lines. */
      differences: string[];
    })
  | (AboutHsm & {
      kind: 'RestoreFailed';
      restore: string;
      backup: string;
      key?: string;
      step: string;
      failure: NoticeFailure;
    })
  | (AboutHsm & {
      kind: 'CustodyExpiring';
      securityDomain: string;
      certificates: { subject: string; fingerprint: string; holder?: string; notAfter: string; daysLeft: number }[];
    })
  | (AboutHsm & {
      kind: 'CustodyReviewDue';
      securityDomain: string;
      overdue: boolean;
      dueOn?: string;
      lastOn?: string;
      agenda: string[];
    })
  | (AboutHsm & {
      kind: 'QuorumAtRisk';
      securityDomain: string;
      /** `atRisk`, `doubtful`, `lost`, `unknown`. */
      state: string;
      /** `Two of three reachable, need two.` */
      text: string;
      shares: { holder?: string; place?: string; reach: string; why: string }[];
      singlePoints: string[];
      nextStep: string;
    })
  | (AboutIncident & { kind: 'IncidentOpened'; openedBy: string; willDo: string[] })
  /** More was found, and it is graver than was told. */
  | (AboutIncident & { kind: 'IncidentRaised' })
  | (AboutIncident & { kind: 'IncidentApprovalWanted'; steps: NoticeStep[] })
  | (AboutIncident & {
      kind: 'IncidentContained';
      /** `none`: what was to be taken away was not. */
      result: 'full' | 'partial' | 'none';
      /** This response took something away, so its incident can put it back. */
      canPutBack?: true;
      done: string[];
      remains: string[];
    })
  /** Nobody decided: the next circle is called. Nothing is done by silence. */
  | (AboutIncident & {
      kind: 'IncidentEscalated';
      circle: 'owner' | 'deputy' | 'lead';
      /** The policy names nobody of that circle, so the owners of the HSM are told. */
      nobodyNamed?: true;
      since: string;
      steps: NoticeStep[];
    })
  | (AboutIncident & {
      kind: 'IncidentClosed';
      verdict: string;
      by: string;
      note: string;
      contained: 'full' | 'partial' | 'none';
      keptOut?: 'refused' | 'stillAllowed' | 'unknown';
      /** Path in the container `evidence`. */
      report: string;
    })
  | (AboutHsm & {
      kind: 'RecoveryStepWaiting';
      recovery: string;
      step: string;
      title: string;
      who: string;
      instructions: string[];
      commands: string[];
      /** `3 of 11`. */
      progress: string;
      /** Set when nothing is lost, and a drill waits; `until`: when it gives up. */
      drill?: string;
      until?: string;
    });
