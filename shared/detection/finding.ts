import type { CallClass, Caller } from './audit-call.ts';

/** Bands of the score: up to 21 Low, 22 to 47 Medium, 48 to 73 High, from 74 Critical. Informational: explained by our journal. */
export type Severity = 'Informational' | 'Low' | 'Medium' | 'High' | 'Critical';

/** What an intruder gained, which decides what protects the keys now. */
export type CompromiseClass =
  /** A key was used or can be used by somebody who should not. */
  | 'misuse'
  /** Material of a key left the HSM, or can be restored elsewhere. */
  | 'keyMaterial'
  /** Security domain or full backup: the HSM can be rebuilt elsewhere. */
  | 'rootOfTrust'
  /** Keys or the HSM are removed, or rolled back. */
  | 'destruction'
  /** Roles, settings, network or logging were weakened. */
  | 'controls';

/** What may answer a finding, the least first; the policy may lower it, never raise it past what a detector proposes. */
export type ResponseMode =
  | 'record'
  /** Evidence is kept and owners are told. */
  | 'notify'
  /** Reversible containment at the scope of one key, by policy. */
  | 'containByPolicy'
  /** Containment waits for one person. */
  | 'containByApproval'
  /** Containment waits for two. */
  | 'containByTwo';

/** One odd thing that one detector saw. Stored, so fields are added, never renamed. */
export interface Finding {
  version: 1;
  /** 32 hex digits of a hash over detector, its version, HSM, caller or address, key, class and aligned window. */
  id: string;
  /** `security-domain-access`, … the file name of the detector. */
  detector: string;
  detectorVersion: number;
  hsm: string;
  /** Who did it, as far as rows tell. */
  caller?: Caller;
  address?: string;
  /** The keys it touches, sorted; empty: the HSM as a whole. At most 50, `keysInAll` tells how many. */
  keys: string[];
  keysInAll: number;
  /** Those of `keys` that the HSM let it use or change; the others it only read, named or was refused at. Absent: an older finding. */
  keysUsed?: string[];
  /** Key versions where they matter, by key. */
  versions?: Record<string, string[]>;
  classes: CallClass[];
  /** ISO instants of the first and the last call. */
  from: string;
  until: string;
  foundAt: string;
  /** One line: `New Administrator at / granted by mallory@contoso.example to herself`. */
  title: string;
  /** Two or three sentences: what was seen, against what was expected. */
  explanation: string;
  nextStep: string;
  /** 0 to 100. */
  score: number;
  severity: Severity;
  class: CompromiseClass;
  response: ResponseMode;
  /** MITRE ATT&CK technique ids. */
  techniques: string[];
  /** Role assignments that this finding speaks of: what containment may revoke. */
  assignments: { scope: string; id: string; role?: string; principalId?: string }[];
  /** Small facts that led here: counts, thresholds, scores. Never field contents longer than 200 characters. */
  facts: Record<string, string | number | boolean | null>;
  correlationIds: string[];
  /** The intents of our journal that explain it in full. */
  intents: string[];
  /** A repeat of a finding that was told: it is stored and counted, and nobody is told again until then. */
  suppressed?: { by: string; until: string };
  /** Rules over several findings that raised it, `C1` to `C6`: shared/detection/kill-chain.ts. */
  chains?: string[];
  /** The incident that has the caller or a key watched: the finding weighs a band more, and is told each time. */
  watchedFor?: string;
  /** Judged with a history too short for its method. */
  learning?: boolean;
}
