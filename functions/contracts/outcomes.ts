import type { Denial, ErrorCode } from '../../shared/errors.ts';
import type { HsmRotationPolicy, KeyFacts } from '../../shared/keys/key.ts';
import type { Notice } from '../../shared/notification/notice.ts';
import type { EffectiveRule } from '../../shared/policy/rule.ts';
import type { KeepReason, RefusalReason, RotateReason } from '../../shared/rotation/decision.ts';
import type { AdoptionActivityOutcomes } from './adoption-outcomes.ts';
import type { BackupActivityOutcomes } from './backup-outcomes.ts';
import type { CustodyActivityOutcomes } from './custody-outcomes.ts';
import type { DetectionActivityOutcomes } from './detection-outcomes.ts';
import type { DrillActivityOutcomes } from './drill-outcomes.ts';
import type { HeartbeatActivityOutcomes } from './heartbeat-outcomes.ts';
import type { IncidentActivityOutcomes } from './incident-outcomes.ts';
import type { ActivityName } from './inputs.ts';
import type { RecoveryActivityOutcomes } from './recovery-outcomes.ts';
import type { RestoreActivityOutcomes } from './restore-outcomes.ts';
import type { RetirementActivityOutcomes } from './retirement-outcomes.ts';
import type { WebhookActivityOutcomes } from './webhook-outcomes.ts';

/** What a fault that will not go away by asking again becomes: an answer, with a next step that a person can follow. */
export interface Failed {
  kind: 'failed';
  code: ErrorCode;
  message: string;
  nextStep: string;
  denial?: Denial;
}

export const isFailed = (outcome: { kind: string }): outcome is Failed => outcome.kind === 'failed';

export interface Inspected {
  kind: 'inspected';
  facts: KeyFacts;
  versionsUsed: number;
  /** ISO instants of the versions' creation, oldest first: the cadence that was. */
  versionsCreatedOn: string[];
  /** The version before the current one, if there is one. */
  previous?: string;
  hsmPolicy?: HsmRotationPolicy;
  effective: EffectiveRule;
  /** Set while a backup or restore of this HSM is known to run. */
  busy?: { kind: 'backup' | 'restore'; since: string; holder: string };
}

export type CreateOutcome =
  | { kind: 'created'; facts: KeyFacts }
  /** The key moved on before we acted: by an earlier attempt of ours, or by the HSM or a person. */
  | { kind: 'alreadyThere'; facts: KeyFacts; by: 'us' | 'hsm' }
  /** A call was sent and its reply is unknown: look again once it can no longer take effect. */
  | { kind: 'unknown'; settleUntil: string };

export interface Proof {
  kind: 'proof';
  verdict: 'proven' | 'unproven' | 'failed';
  explanation: string;
  checks: {
    operation: string;
    version: 'new' | 'old';
    algorithm: string;
    result: 'ok' | 'failed' | 'unprovable';
    detail?: string;
  }[];
}

export interface Compared {
  kind: 'compared';
  facts: KeyFacts;
  differences: { attribute: string; expected: string; found: string; severity: 'corrupt' | 'different' }[];
}

/** A notice to deliver, told again after `repeatAfter` (ISO duration) if it still holds. */
export interface NoticeDue {
  id: string;
  notice: Notice;
  repeatAfter: string;
}

/** What each activity answers when nothing failed. */
export interface ActivityOutcomes
  extends AdoptionActivityOutcomes,
    BackupActivityOutcomes,
    CustodyActivityOutcomes,
    DetectionActivityOutcomes,
    DrillActivityOutcomes,
    IncidentActivityOutcomes,
    HeartbeatActivityOutcomes,
    RecoveryActivityOutcomes,
    RestoreActivityOutcomes,
    RetirementActivityOutcomes,
    WebhookActivityOutcomes {
  inspectKey: Inspected;
  writeRotationPolicy: { kind: 'written' };
  backUpKey: { kind: 'kept'; path: string };
  keepSentinel: { kind: 'kept' } | { kind: 'skipped'; why: string };
  reserveCreation: { kind: 'reserved'; at: string };
  createKeyVersion: CreateOutcome;
  carryTags: { kind: 'carried'; tags: string[] };
  proveKeyVersion: Proof;
  compareKeyVersion: Compared;
  recordRotation: { kind: 'recorded' };
  publishKeyFact: { kind: 'published' };
  surveyKeys: {
    kind: 'surveyed';
    keys: number;
    due: number;
    newVersions: number;
    batches: number;
    notices: NoticeDue[];
  };
  startDueWork: { kind: 'started'; started: number; running: number };
  commitSurvey: { kind: 'committed' };
  reconcilePolicies: {
    kind: 'reconciled';
    checked: number;
    repaired: number;
    drifted: number;
    /** Where the next call goes on; absent when every key has been seen. */
    after?: string;
    notices: NoticeDue[];
  };
  /** `webhooks`: there are some to ask; absent in answers of builds that knew none. */
  routeNotice:
    | { kind: 'routed'; recipients: string[]; lastToldOn?: string; webhooks?: boolean }
    | { kind: 'toldRecently'; on: string };
  sendMail: { kind: 'sent' };
  settleNotice: { kind: 'settled' };
}

export type Outcome<N extends ActivityName> = ActivityOutcomes[N] | Failed;

export type RotateKeyOutcome =
  | {
      kind: 'rotated';
      version: string;
      previous: string;
      by: 'us' | 'hsm';
      reason: RotateReason;
      proof: 'proven' | 'unproven';
      warnings: string[];
    }
  | { kind: 'kept'; reason: KeepReason; explanation: string; dueOn?: string }
  | { kind: 'deferred'; reason: 'OutsideWindow' | 'InBlackout'; until: string; explanation: string }
  | { kind: 'reminded'; reason: 'ImportedKey' | 'RemindOnly'; explanation: string }
  | { kind: 'refused'; reason: RefusalReason; explanation: string; nextStep: string; version?: string }
  | Failed;
