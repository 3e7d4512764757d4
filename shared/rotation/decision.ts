/** Public: reasons are shown to users, sent in events and matched by mail rules. Adding is free, renaming is a migration. */
export type KeepReason = 'NotDue' | 'NoExpiry' | 'VersionSuperseded' | 'RotationOff';

export type RefusalReason =
  | 'KeyDisabled'
  | 'HeldByTag'
  | 'ImportedKey'
  | 'RemindOnly'
  | 'RotationPolicyMissing'
  | 'RotationPolicyOutOfLimits'
  | 'VersionBudgetSpent'
  | 'RotatedTooOften'
  | 'CadenceCannotLast'
  | 'OutsideWindow'
  | 'InBlackout'
  | 'CorruptVersion'
  | 'NotProven';

export type RotateReason = 'NearExpiry' | 'Expired' | 'MaximumAge' | 'OperatorRequest' | 'Native' | 'Compromise';

/** Who or what asked for the rotation. */
export type RotationCause =
  | { kind: 'Sweep' }
  | { kind: 'Event'; eventId: string; eventType: string }
  /** The HSM made the version by its own policy; it is proven and told like ours. */
  | { kind: 'Native' }
  | { kind: 'Operator'; by: string; note: string; overrides: Override[] }
  /** A response to a compromise: no window or due date is waited for, and a hold still holds. `by`: who approved, or `POLICY_ALONE`. */
  | { kind: 'Incident'; incident: string; by: string; overrides: Override[] };

/** Who let a response act where nobody was asked. */
export const POLICY_ALONE = 'policy response';

export type Override = 'window' | 'blackout' | 'hold' | 'notDue';

export interface Refusal {
  kind: 'refused';
  reason: RefusalReason;
  /** One sentence: what was found. */
  explanation: string;
  /** One sentence: what a person can do. */
  nextStep: string;
}

/** Nothing is wrong; it is only not the time. The next sweep asks again. */
export interface Deferral {
  kind: 'deferred';
  reason: 'OutsideWindow' | 'InBlackout';
  until: string;
  explanation: string;
}

export interface Keep {
  kind: 'keep';
  reason: KeepReason;
  explanation: string;
  /** When it will be due, if that is known. */
  dueOn?: string;
}

export interface Reminder {
  kind: 'remind';
  reason: 'ImportedKey' | 'RemindOnly';
  explanation: string;
  nextStep: string;
}

export interface RotationPlan {
  kind: 'rotate';
  reason: RotateReason;
  explanation: string;
  /** In this order. */
  steps: ('repairRotationPolicy' | 'backUpKey' | 'rotate' | 'prove' | 'compare' | 'tell')[];
  /** Told to the owner with the result: budget running out, window overruled by expiry, unknown tags. */
  warnings: string[];
}

export type RotationDecision = Keep | Deferral | Reminder | Refusal | RotationPlan;
