/** What a generated HSM's log holds, before it is written in the columns of a table. */
export interface TrafficCaller {
  oid: string;
  app: string;
  /** Empty for services. */
  upn: string;
}

/** Calls that agree in everything; crypto is counted in bins of ten minutes, so an hour of thousands is a few of these. */
export interface TrafficCall {
  /** Number of this entry; correlation ids are made from it. */
  serial: number;
  /** The first of them, milliseconds since 1970. */
  at: number;
  /** Milliseconds from the first to the last, which lie evenly between. All in one bin of ten minutes. */
  span: number;
  count: number;
  /** So many of them were written twice. */
  repeated: number;
  /** When all of them could be queried; Infinity: never. */
  arrived: number;
  operation: string;
  /** Lower case, without host and query. */
  path: string;
  status: number;
  /** Empty where the call names none. */
  key: string;
  version: string;
  caller: TrafficCaller;
  address: string;
  subnet: string;
  trustedService: string;
  userAgent: string;
}

/** A row of the subscription's activity log. */
export interface TrafficAct {
  at: number;
  arrived: number;
  operation: string;
  resource: string;
  caller: string;
  succeeded: boolean;
  serial: number;
}

/** An act that the automation's journal announced before. */
export interface TrafficIntent {
  id: string;
  /** When it was written. */
  at: number;
  target: string;
  clientId: string;
  from: number;
  to: number;
  count: Record<string, number>;
  approvedBy: string;
}

/** What became different in the HSM: who asks it afterwards sees this. */
export type TrafficChange = { at: number } & (
  | { kind: 'granted'; grant: TrafficGrant }
  | { kind: 'revoked'; id: string }
  | { kind: 'setting'; name: string; value: string }
  | { kind: 'definition'; role: TrafficRole }
  | { kind: 'container'; job: string; uri: string | null }
  | { kind: 'version'; key: string; version: string }
  | { kind: 'compromised'; key: string }
  | { kind: 'deleted'; key: string }
  | { kind: 'publicAccess'; on: boolean }
);

export interface TrafficGrant {
  id: string;
  scope: string;
  role: string;
  principalId: string;
}

export interface TrafficRole {
  id: string;
  name: string;
  dataActions: string[];
}

export interface TrafficKey {
  name: string;
  createdOn: number;
  /** Oldest first. */
  versions: { version: string; createdOn: number }[];
  keyClass: string;
  decoy: boolean;
}

/** What one attack leaves behind, and how it is to be recognised. */
export interface AttackLabel {
  /** `S7`, or `S7.forged-intent` for a variant. */
  id: string;
  scenario: string;
  variant: string;
  title: string;
  from: number;
  until: number;
  /** A finding after this instant is too late. */
  deadline: number;
  /** Object ids of whom a finding may name. */
  callers: string[];
  /** Keys that a finding may name. */
  keys: string[];
  /** A finding that names nobody and no key counts, if it comes from one of the expected detectors. */
  hsmWide: boolean;
  /** By the design's numbering: `D4`. */
  expected: readonly string[];
  class: 'misuse' | 'keyMaterial' | 'rootOfTrust' | 'destruction' | 'controls';
  /** Missing it loses keys, the root of trust or sight. */
  critical: boolean;
  /** Found by rule, or by comparing with what is usual. */
  lane: 'rule' | 'statistic';
  /** Time in which it should be found. */
  targetMs: number;
  /** Arrival of its first row; Infinity when none arrives. */
  firstArrival: number;
}

/** Rows of event time from..to never arrive. */
export interface Silence {
  from: number;
  to: number;
}

export interface Strand {
  calls: TrafficCall[];
  acts: TrafficAct[];
  intents: TrafficIntent[];
  changes: TrafficChange[];
  silences: Silence[];
  labels: AttackLabel[];
}
