/**
 * One kind of call that an HSM answered, by what its address says: names of operations are public for few of them. Where an
 * intent of the journal counts a class, the words are the same. Rules: shared/detection/classify-call.ts.
 */
export const CALL_CLASSES = [
  'sd.download',
  'sd.download.poll',
  'sd.transferkey',
  'sd.upload',
  'sd.upload.poll',
  'backup.start',
  'backup.poll',
  'restore.full',
  'restore.key',
  'restore.poll',
  'rbac.assign.put',
  'rbac.assign.delete',
  'rbac.assign.read',
  'rbac.definition.put',
  'rbac.definition.delete',
  'rbac.definition.read',
  'settings.update',
  'settings.read',
  'key.create',
  'key.import',
  'key.rotate',
  'key.update',
  'key.delete',
  'key.recover',
  'key.purge',
  'key.backup',
  'key.restoreblob',
  'key.release',
  'key.policy.set',
  'crypto.protect',
  'crypto.unprotect',
  'crypto.verify',
  'read.key',
  'read.list',
  'random',
  'ekm',
  'authentication',
  'unclassified',
] as const;

export type CallClass = (typeof CALL_CLASSES)[number];

/** `missing`: 404. `challenged`: the 401 that each fresh SDK client provokes. `failed`: throttled, refused or broken. */
export type CallOutcome = 'ok' | 'denied' | 'missing' | 'challenged' | 'failed';

export interface Caller {
  /** Object id, lower case; empty where a row names nobody. */
  oid: string;
  /** Application (client) id, lower case. */
  app?: string;
  /** Set for people. */
  upn?: string;
}

/** Calls of one HSM that agree in everything that a detector looks at, counted by the workspace. */
export interface CallGroup {
  /** Name of the HSM, as in the settings. */
  hsm: string;
  class: CallClass;
  /** OperationName as it was logged; a hint. */
  operation: string;
  /** Lower case, without host and query. Empty where the workspace counted over many addresses. */
  path: string;
  key?: string;
  version?: string;
  /** Last segment of a crypto call: `wrapkey`, `decrypt`, `sign`, … */
  verb?: string;
  outcome: CallOutcome;
  status: number;
  /** Nobody where the HSM did not accept the token: anybody can write a name into one. */
  caller: Caller;
  /** Whom such a token named. For people and evidence; nothing is decided by it. */
  claimed?: Caller;
  address: string;
  subnet?: string;
  /** Service that came through the bypass for trusted services. */
  trustedService?: string;
  userAgent: string;
  count: number;
  /** ISO instants of the first and the last of them. */
  first: string;
  last: string;
  /** When the last of them could be queried. */
  arrived: string;
  /** At most 20 of them. */
  correlationIds: string[];
}

/** Successful crypto calls of one caller on one key, hour by hour. */
export interface HourVolume {
  hsm: string;
  key: string;
  caller: Caller;
  class: 'crypto.protect' | 'crypto.unprotect';
  verb: string;
  /** ISO instant of the full hour, UTC. */
  hour: string;
  count: number;
}

/** What arrived of one HSM's rows in one quarter of an hour of event time. */
export interface Arrivals {
  hsm: string;
  /** Start of the quarter, ISO. */
  quarter: string;
  rows: number;
  lastEvent: string;
  lastArrival: string;
  /** Rows of our own canary call. */
  canary: number;
  /** Seconds from call to arrival. */
  lag: { p50: number; p99: number };
}

/** A row of the subscription's activity log that concerns an HSM or its guard-rails. */
export interface ControlPlaneAct {
  hsm: string;
  /** `Microsoft.KeyVault/managedHSMs/write`, … */
  operation: string;
  resource: string;
  caller: string;
  at: string;
  /** When the last row of it could be queried; absent: not known. */
  arrived?: string;
  succeeded: boolean;
  correlationId: string;
}
