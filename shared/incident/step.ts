import type { ManifestRoleAssignment } from '../backup/manifest.ts';

/** What a step of a response does. */
export type StepKind =
  /** Takes one local role assignment away. */
  | 'revoke'
  /** Makes a new version of a key, by the same path as every rotation. */
  | 'rotate'
  /** A new key in place of one whose material is out; people make it and point its consumers at it. */
  | 'newKey'
  /** Disables what was compromised, at the very end; two people agree, and a person does it. */
  | 'disableOld'
  /** Anything else that only people can do. */
  | 'person';

/** Who lets a step happen: the policy alone, one person or two. Whoever asked is none of them. */
export type StepMode = 'auto' | 'approval' | 'twoApprovals';

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
  /** Object id. */
  by: string;
  name: string;
  at: string;
  decision: 'approve' | 'deny' | 'done';
  note: string;
}

/** One step of a response, as planned and as it stands. Its id says what it does, so it is the same step when planned again. */
export interface PlannedStep {
  id: string;
  kind: StepKind;
  /** `people`: the app only shows what to do, and waits to be told. */
  doneBy: 'app' | 'people';
  title: string;
  why: string;
  mode: StepMode;
  /** May be done and need not: nobody is called for it, and the incident can be closed without it. */
  offered?: true;
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
  startedAt?: string;
  endedAt?: string;
  /** Set after a fault: not tried before. */
  retryAt?: string;
  attempts?: number;
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
export const approvalsNeeded = (mode: StepMode): number => ({ auto: 0, approval: 1, twoApprovals: 2 })[mode];

/** The one that asks for more people. */
export const strictest = (...modes: readonly StepMode[]): StepMode =>
  modes.reduce((most, mode) => (approvalsNeeded(mode) > approvalsNeeded(most) ? mode : most), 'auto');
