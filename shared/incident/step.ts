import type { ManifestRoleAssignment } from '../backup/manifest.ts';

/** What a step of a response does. */
export type StepKind =
  /** Takes one local role assignment away. */
  | 'revoke'
  /** Makes a new version of a key, by the same path as every rotation. */
  | 'rotate'
  /** A new key in place of one whose material is out; made and re-pointed by people. */
  | 'newKey'
  /** Disables what was compromised, at the very end; by people. */
  | 'disableOld'
  /** Anything else that only people can do. */
  | 'person';

/**
 * Who lets a step happen. `auto`: the policy does. `approval`, `twoApprovals`: so many people who did not ask. `offered`: one
 * person may, and nobody is called for it. `person`: people do it themselves and say so.
 */
export type StepMode = 'auto' | 'approval' | 'twoApprovals' | 'offered' | 'person';

export type StepState =
  | 'planned'
  | 'waiting'
  | 'approved'
  | 'underWay'
  | 'done'
  /** There was nothing to do any more. */
  | 'skipped'
  | 'refused'
  | 'denied'
  /** Nobody decided in time; nothing was done. */
  | 'expired'
  | 'failed'
  /** Done, and put back since. */
  | 'undone';

export interface StepDecision {
  by: string;
  name: string;
  at: string;
  decision: 'approve' | 'deny' | 'done';
  note: string;
}

/** One step of a response, as planned and as it stands. Its id is made of what it does, so it is the same step when planned again. */
export interface PlannedStep {
  id: string;
  kind: StepKind;
  title: string;
  why: string;
  mode: StepMode;
  state: StepState;
  /** What undoes it, written down before it is done. */
  compensation: string;
  /** What whoever decides must see: dependants, last use, limits. */
  shown: string[];
  commands: string[];
  assignment?: ManifestRoleAssignment;
  key?: string;
  /** Newest version when the step was planned. */
  expectedVersion?: string;
  decisions: StepDecision[];
  waitingSince?: string;
  until?: string;
  /** How many calls for help went out: owner, deputy, lead. */
  escalated?: number;
  startedAt?: string;
  endedAt?: string;
  reason?: string;
  detail?: string;
  nextStep?: string;
}

const SETTLED: ReadonlySet<StepState> = new Set<StepState>([
  'done',
  'skipped',
  'refused',
  'denied',
  'expired',
  'failed',
  'undone',
]);

export const isSettled = ({ state }: Pick<PlannedStep, 'state'>): boolean => SETTLED.has(state);

/** How many people must agree. */
export const approvalsNeeded = (mode: StepMode): number =>
  mode === 'auto' || mode === 'person' ? 0 : mode === 'twoApprovals' ? 2 : 1;

/** The stricter of two. `person` is no strictness, but what the app cannot do at all. */
export function stricter(a: StepMode, b: StepMode): StepMode {
  const order: readonly StepMode[] = ['auto', 'approval', 'twoApprovals', 'offered', 'person'];
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}
