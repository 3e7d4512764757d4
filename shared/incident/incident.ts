import type { ManifestRoleAssignment } from '../backup/manifest.ts';
import type { Caller } from '../detection/audit-call.ts';
import type { CompromiseClass, Finding, ResponseMode, Severity } from '../detection/finding.ts';
import type { PlannedStep } from './step.ts';

export type IncidentSubject = { kind: 'caller'; caller: Caller } | { kind: 'key'; key: string } | { kind: 'hsm' };

/** What an incident keeps of each of its findings; the whole finding lies where detection put it. */
export type IncidentFinding = Pick<
  Finding,
  'id' | 'detector' | 'title' | 'score' | 'severity' | 'from' | 'until' | 'foundAt'
> &
  Partial<Pick<Finding, 'class' | 'response' | 'nextStep' | 'watchedFor'>>;

/** A verdict of a person. `insufficientEvidence` is demanded where the log does not span the time of the suspicion. */
export type IncidentVerdict = 'confirmed' | 'likely' | 'benign' | 'insufficientEvidence';

/**
 * What happened, to whom, and what was done about it: one document an incident, `state/incidents/{id}.json`. Findings of one
 * caller on one HSM, or of one key where the caller is not known, join within a day of the last, at most for a week. Fields
 * are added, never renamed.
 */
export interface Incident {
  version: 1;
  /** `incident-{hsm}-{16 hex digits}`: also the instance id of its response. */
  id: string;
  hsm: string;
  subject: IncidentSubject;
  /** By whom or what it was opened: `detection`, `alert {rule}`, `operator {upn}`. */
  openedBy: string;
  openedAt: string;
  lastFindingAt: string;
  status: 'open' | 'contained' | 'closed';
  /** Combined over its findings. */
  score: number;
  severity: Severity;
  class: CompromiseClass;
  /** Sorted, at most 50. */
  keys: string[];
  /** Those that somebody used or changed, as findings say. Others were only named, read or refused. Absent: an older incident. */
  keysUsed?: string[];
  /** The newest 200. */
  findings: IncidentFinding[];

  findingsInAll?: number;
  keysInAll?: number;
  /** Role assignments that the findings speak of: what containment may remove. */
  assignments?: SuspectAssignment[];
  /** Key versions that the findings speak of. */
  versions?: Record<string, string[]>;
  /** Addresses that the findings speak of, at most 20. */
  addresses?: string[];
  /** The strongest answer that a finding proposes. */
  response?: ResponseMode;
  /** Who declared it, where a person did: they cannot approve what is done about it. */
  declared?: { by: string; name: string; note: string };
  /** Object ids of those who declared it after that one: they decide as little. */
  declaredToo?: string[];
  /** Grows each time a closed incident opens again; absent: 1. */
  round?: number;
  /** When the round began; absent: `openedAt`. */
  roundAt?: string;
  /** The round whose response has begun. */
  begun?: number;
  /** Round and findings that the plan has seen: when there are more, it is made again. */
  planned?: { round: number; findings: number; severity: Severity };
  plan?: PlannedStep[];
  evidence?: EvidenceSummary;
  containment?: Containment;
  /** Roles that were taken away, whole, so that one call puts each back. */
  removed?: RemovedAssignment[];
  verification?: Verification;
  watchUntil?: string;
  closeAsked?: { by: string; name: string; at: string; note: string };
  verdict?: { verdict: IncidentVerdict; by: string; name?: string; at: string; note: string };
  closed?: { at: string; by: string; note: string; report: string };
  /** What was told, by stage, so that each is told once. */
  told?: Record<string, string>;
  /** Facts that the topic has not taken yet, and when it is tried again. */
  unpublished?: { type: 'IncidentOpened' | 'IncidentContained' | 'IncidentClosed'; stage: string; at: string }[];
  publishAfter?: string;
  /** Acts that were given up once in this round: what they could not read is then a gap. */
  tired?: string[];
  /** What happened, in order, at most 400 lines; the report is made of it. */
  timeline?: TimelineEntry[];
}

export type SuspectAssignment = Finding['assignments'][number] & {
  /** What the finding proposes, and when the call was that it saw. */
  response?: ResponseMode;
  at?: string;
};

export interface TimelineEntry {
  at: string;
  /** `finding`, `evidence`, `plan`, `approval`, `containment`, `rotation`, `verification`, `verdict`, `notice`, … */
  kind: string;
  by: string;
  text: string;
}

export interface RemovedAssignment extends ManifestRoleAssignment {
  step: string;
  removedAt: string;
  putBackAt?: string;
  putBackBy?: string;
}

export interface EvidenceSummary {
  round: number;
  at: string;
  /** Path of the manifest in the container `evidence`. */
  manifest: string;
  sha256: string;
  records: number;
  /** What could not be read, and why. */
  gaps: string[];
  /** What this installation does not have, so that nobody looked. */
  absent?: string[];
  /** Whether the log spans the time of the suspicion. */
  spans: boolean;
  /** The keys that it is about; absent: an older incident. */
  keys?: string[];
  /** What was kept in this round about keys that came to it later, before anything was done about them. */
  more?: { at: string; manifest: string; sha256: string; records: number; keys: string[] }[];
}

/** What was taken away, and what was not. */
export interface Containment {
  at: string;
  kind: 'full' | 'partial' | 'none';
  /** What still lets the intruder in, as far as the plan knows, each with why. */
  remains: string[];
}

/** Whether the intruder is kept out now, as far as anybody can tell. */
export interface Verification {
  at: string;
  result: 'refused' | 'stillAllowed' | 'unknown';
  explanation: string;
}

export const roundOf = ({ round = 1 }: Incident): number => round;

/** Its keys, those that were used before those that were only named: where not all are looked at, the first are. */
export const keysByWeight = ({ keys, keysUsed = keys }: Pick<Incident, 'keys' | 'keysUsed'>): string[] => [
  ...keys.filter((key) => keysUsed.includes(key)),
  ...keys.filter((key) => !keysUsed.includes(key)),
];

/** An intruder who uses one key after another keeps nobody at collecting. */
const MOST_EVIDENCE = 20;

/** Keys that were used and that the evidence of this round knows nothing of. */
export function keysWithoutEvidence({ evidence, keys, keysUsed = keys }: Incident): string[] {
  if (evidence?.keys === undefined || (evidence.more ?? []).length >= MOST_EVIDENCE) return [];
  const known = new Set([...evidence.keys, ...(evidence.more ?? []).flatMap((each) => each.keys)]);
  return keysUsed.filter((key) => !known.has(key));
}

/** Steps of this round; those of the rounds before were decided then, and say nothing of now. */
export function stepsOfRound(incident: Incident): PlannedStep[] {
  const round = roundOf(incident);
  const isOf = (id: string) => (round === 1 ? !/^r\d+-/.test(id) : id.startsWith(`r${round}-`));
  return (incident.plan ?? []).filter(({ id }) => isOf(id));
}

/** One text a subject: what findings join by. */
export function subjectKey(subject: IncidentSubject): string {
  switch (subject.kind) {
    case 'caller':
      return `caller ${subject.caller.oid.toLowerCase()}`;
    case 'key':
      return `key ${subject.key.toLowerCase()}`;
    case 'hsm':
      return 'hsm';
  }
}

/** For people: the name where there is one, the object id otherwise. */
export function describeSubject(subject: IncidentSubject, hsm: string): string {
  switch (subject.kind) {
    case 'caller': {
      const { upn, oid, app } = subject.caller;
      return upn ?? (app === undefined || app === '' ? oid : `${oid} (application ${app})`);
    }
    case 'key':
      return `${hsm}/${subject.key}`;
    case 'hsm':
      return hsm;
  }
}

/** The caller where rows name one, else the key where one is concerned, else the HSM. */
export function subjectOf({ caller, keys }: Pick<Finding, 'caller' | 'keys'>): IncidentSubject {
  if (caller && caller.oid !== '') return { kind: 'caller', caller };
  const [key, ...more] = keys;
  return key !== undefined && more.length === 0 ? { kind: 'key', key } : { kind: 'hsm' };
}
