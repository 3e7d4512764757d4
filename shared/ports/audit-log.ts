import type { Arrivals, CallGroup, ControlPlaneAct, HourVolume } from '../detection/audit-call.ts';

/**
 * Rows that became visible between two instants of ingestion, of one HSM. Groups are counted for each ten minutes of arrival
 * by themselves, so that windows which overlap by whole ones can be told apart: shared/detection/windows.ts.
 */
export interface LogWindow {
  /** Name of the HSM. */
  hsm: string;
  /** Ingestion time, exclusive and inclusive, ISO. */
  after: string;
  upTo: string;
  /** Counted for each day instead of each ten minutes: to learn from, not to judge. */
  coarse?: true;
}

/**
 * The workspace that holds the HSM's audit rows. Throws AppError: ERR_TRANSIENT, ERR_THROTTLED, ERR_DENIED, ERR_NOT_FOUND; a
 * partial answer is ERR_TRANSIENT, because a window that was read in part was not read.
 */
export interface AuditLog {
  /** Everything but successful crypto calls: few, whatever the traffic. At most `limit` groups; `more` counts those beyond. */
  sensitiveCalls(window: LogWindow): Promise<{ calls: CallGroup[]; more: number }>;
  /** Refused and missing calls, in bins of ten minutes. */
  refusedCalls(window: LogWindow): Promise<{ calls: CallGroup[]; more: number }>;
  /** Successful use of keys by caller, address and version, in bins of ten minutes. */
  keyUse(window: LogWindow): Promise<{ calls: CallGroup[]; more: number }>;
  /** By event time: hours that are closed, from `from` (inclusive) to `to` (exclusive), ISO full hours. */
  hourVolumes(hsm: string, from: string, to: string): Promise<HourVolume[]>;
  /** By event time, newest last. `canary`: the path of our own call, and who makes it, as object id or client id. */
  arrivals(
    hsm: string,
    from: string,
    to: string,
    canary: { oid?: string; clientId?: string; path: string },
  ): Promise<Arrivals[]>;
  /** Acts of Azure Resource Manager, where the activity log goes to the same workspace; otherwise nothing. */
  controlPlane(window: LogWindow): Promise<ControlPlaneAct[]>;
  /**
   * Sign-ins of one object id, a GUID, between two instants of event time; with the tables that the workspace has. Rows that
   * agree are counted together; `more`: not all of them came.
   */
  signIns(who: string, after: string, upTo: string): Promise<{ tables: string[]; signIns: SignIn[]; more: boolean }>;
  /** Who used which version of many keys, in one question. */
  versionUse(question: VersionQuestion): Promise<VersionAnswer>;
}

export interface VersionQuestion {
  hsm: string;
  /** Each key's use counts from an instant of event time of its own, ISO. */
  keys: readonly { name: string; since: string }[];
  /** Until when, ISO: now. */
  upTo: string;
  /** Refused calls of this version count as well; of others they say nothing. */
  refused?: string;
}

/** By the key's name as it was asked for. A key that is missing was used by more than an answer holds: nobody knows. */
export type VersionAnswer = ReadonlyMap<string, readonly LoggedVersionUse[]>;

export interface LoggedVersionUse {
  version: string;
  caller: Caller;
  class: CallGroup['class'];
  outcome: CallGroup['outcome'];
  count: number;
  first: string;
  last: string;
}

type Caller = CallGroup['caller'];

/** What Microsoft Entra let in or turned away, as its table holds it; absent members are columns that the table lacks. */
export interface SignIn {
  table: string;
  app: string;
  address: string;
  resource: string;
  /** Code of the outcome; `0`: signed in. */
  result: string;
  userAgent?: string;
  /** Key id of the credential of a service principal. */
  credential?: string;
  count: number;
  first: string;
  last: string;
}
