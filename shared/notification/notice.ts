import type { RetirementRefusalReason } from '../adoption/judge-retirement.ts';
import type { Denial, ErrorCode } from '../errors.ts';
import type { HeartbeatWork } from '../heartbeat/expected.ts';
import type { KeyRef, KeyType } from '../keys/key.ts';
import type { PolicyFault } from '../policy/document.ts';
import type { NoticeRule } from '../policy/rule.ts';
import type { Refusal, Reminder, RotateReason } from '../rotation/decision.ts';
import type { PolicyDifference } from '../rotation/reconcile-policy.ts';
import type { HsmNotice } from './hsm-notice.ts';

/** The key that a notice is about. Its address on the HSM is added when the message is composed (ComposeContext). */
export interface NoticeKey extends KeyRef {
  keyType?: KeyType;
  expiresOn?: string;
  tags?: Record<string, string>;
}

interface AboutKey {
  /** ISO instant of what happened. */
  at: string;
  key: NoticeKey;
  /** Who cares for the key, by its effective rule. */
  notify: NoticeRule;
}

interface AboutRetirement extends AboutKey {
  version: string;
  retirement: string;
  /** Object id of whoever asked. */
  by: string;
}

interface AboutHeartbeat {
  at: string;
  /** Absent: all of them. */
  hsm?: string;
  notify?: NoticeRule;
  work: HeartbeatWork | 'app';
  name: string;
  /** Since when nothing was heard, by the clock of the watch. */
  since: string;
}

/** What composing needs beside the notice: from the settings, so that no orchestration has to carry it. */
export interface ComposeContext {
  installation: string;
  /** `https://{hsm}…` by HSM name, without a slash at the end. */
  hsmUris: Record<string, string>;
}

/** One check of a proof, as told: `unwrapKey with the old version: ok`. */
export interface ToldCheck {
  operation: string;
  version: 'new' | 'old';
  algorithm: string;
  result: 'ok' | 'failed' | 'unprovable';
  detail?: string;
}

/**
 * Everything that people are told, as facts. Wording lives in compose-message.ts alone. A notice is stored in histories, so
 * fields are added, never renamed.
 */
export type Notice =
  | HsmNotice
  | (AboutKey & {
      kind: 'KeyRotated';
      version: string;
      previous?: string;
      by: 'us' | 'hsm';
      reason: RotateReason;
      explanation: string;
      proof: 'proven' | 'unproven';
      proofExplanation: string;
      checks: ToldCheck[];
      /** Attributes that differ without making the version unusable. */
      differences: { attribute: string; expected: string; found: string }[];
      warnings: string[];
    })
  /** Decided not to rotate although it is due; includes `hold`, disabled, budget and policy refusals. */
  | (AboutKey & { kind: 'RotationRefused'; version: string; expired: boolean; refusal: Refusal })
  /** Owner must rotate by hand: imported material comes from outside. */
  | (AboutKey & { kind: 'RotationReminder'; version: string; expired: boolean; reminder: Reminder })
  /** The new version is on the HSM but does not count: incomplete, or not proven. */
  | (AboutKey & {
      kind: 'RotationNotCounted';
      version: string;
      previous?: string;
      refusal: Refusal;
      checks: ToldCheck[];
      differences: { attribute: string; expected: string; found: string }[];
    })
  /** Something failed that asking again did not cure; `denial` set: a permission is missing. */
  | (AboutKey & {
      kind: 'RotationFailed';
      version: string;
      failure: { code?: ErrorCode; message: string; nextStep: string; denial?: Denial };
    })
  | (AboutKey & {
      kind: 'PolicyDrift';
      differences: PolicyDifference[];
      /** `refused`: the rule of the key contradicts itself, so nothing was compared. */
      action: 'repaired' | 'told' | 'refused';
      refusal?: Refusal;
    })
  /** Many drifts with one outcome, for one circle of readers. */
  | {
      kind: 'PolicyDriftDigest';
      at: string;
      hsm: string;
      notify: NoticeRule;
      action: 'repaired' | 'told' | 'refused';
      /** Names, sorted. */
      keys: string[];
    }
  /** Everybody who used an old version uses the new one, or has fallen silent. */
  | (AboutKey & {
      kind: 'KeyVersionAdopted';
      version: string;
      /** When it was made. */
      since: string;
      explanation: string;
      callers: { caller: string; state: string; lastOld: string }[];
      /** Callers that open old data with old versions. */
      unprotect: number;
    })
  | (AboutRetirement & { kind: 'RetirementRequested'; note: string; until: string })
  /** Disabled; enabled again if somebody misses it until then. */
  | (AboutRetirement & { kind: 'KeyVersionRetired'; approvedBy?: string; watchedUntil: string })
  | (AboutRetirement & { kind: 'KeyVersionReenabled'; callers: string[] })
  | (AboutRetirement & {
      kind: 'RetirementFailed';
      /** `reason`: of a refusal. */
      failure: { reason?: RetirementRefusalReason; message: string; nextStep: string };
      stillDisabled?: true;
    })
  /** Something that runs by the clock was not heard of in time; the app as a whole, seen when it is back. */
  | (AboutHeartbeat & {
      kind: 'HeartbeatMissed';
      /** The last that was heard; absent: never. */
      last?: string;
      dueBy?: string;
      /** Set when it is over. */
      until?: string;
      schedule?: string;
    })
  | (AboutHeartbeat & { kind: 'HeartbeatRecovered'; last: string })
  | { kind: 'PolicyDocumentFault'; at: string; rejectedVersion: string; inForce: string; faults: PolicyFault[] }
  | { kind: 'PolicyDocumentMissing'; at: string; inForce: string }
  /** Keys that could not be read, or repaired, while the work on the others went on. */
  | {
      kind: 'KeysUnreadable';
      at: string;
      hsm: string;
      notify: NoticeRule;
      /** Names, sorted. */
      keys: string[];
      /** What was not done for them; absent: the expiry sweep. `repair`: they were read, and their policy could not be written. */
      work?: 'reconciliation' | 'repair';
      /** Of the first of them. */
      failure: { code?: ErrorCode; message: string; nextStep: string; denial?: Denial };
    }
  | {
      kind: 'SweepFailed';
      at: string;
      hsm: string;
      /** What was not done for the whole HSM; absent: the expiry sweep. */
      work?: 'reconciliation' | 'detection';
      failure: { code?: ErrorCode; message: string; nextStep: string; denial?: Denial };
    };
