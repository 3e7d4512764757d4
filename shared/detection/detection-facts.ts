import type { Arrivals, CallClass, CallGroup, ControlPlaneAct, HourVolume } from './audit-call.ts';
import type { DiagnosticSetting } from './diagnostic-setting.ts';
import type { RecentFinding } from './memory.ts';

/** An act that our journal announced: a call may consume it if class, target, identity and window agree, `count` times. */
export interface LedgerIntent {
  id: string;
  hsm: string;
  /** `keys/{name}` or the operation. */
  target: string;
  /** Client id of the identity that acts. */
  clientId: string;
  from: string;
  to: string;
  count: Partial<Record<CallClass, number>>;
  /** Who approved it, where a person had to. */
  approvedBy?: string;
}

/** What the HSM and Azure answered when asked about what rows cannot tell: no row holds the body of a request. */
export interface LookedUp {
  /** Local role assignments now, and as they were at the last look; absent: could not be read. */
  assignments?: RoleGrant[];
  assignmentsBefore?: RoleGrant[];
  /** Custom role definitions now and before. */
  definitions?: CustomRole[];
  definitionsBefore?: CustomRole[];
  /** Settings of the HSM now and before, by name. */
  settings?: Record<string, string>;
  settingsBefore?: Record<string, string>;
  /** Container that a backup job writes to, by job id; null: the HSM did not say. */
  backupContainers: Record<string, string | null>;
  /** The HSM's own network rules; absent: not known. */
  network?: { publicAccess: boolean; allowedRanges: string[] };
  /** Where its log goes now and before; absent: not known. */
  diagnostics?: DiagnosticSetting[];
  diagnosticsBefore?: DiagnosticSetting[];
}

export interface RoleGrant {
  id: string;
  scope: string;
  /** GUID of the role definition. */
  role: string;
  principalId: string;
}

export interface CustomRole {
  id: string;
  name: string;
  dataActions: string[];
}

/** What the inventory knows of a key. */
export interface KnownKey {
  name: string;
  createdOn: string;
  /** Oldest first. */
  versions: { version: string; createdOn: string; enabled: boolean }[];
  /** Class of the policy, such as `tier0`. */
  class?: string;
  /** Nobody has business with it: any call is an intruder's. */
  decoy: boolean;
  /** Instant of the last rotation that answered a compromise. */
  compromisedOn?: string;
}

/** One window of one HSM's log, and all that is needed to judge it. Pure data: `detect` reads no clock and no world. */
export interface DetectionFacts {
  now: string;
  hsm: string;
  calls: CallGroup[];
  /** Groups that the workspace counted and did not send, because there were too many. */
  more: number;
  /** Closed hours that were not given before. */
  hours: HourVolume[];
  arrivals: Arrivals[];
  controlPlane: ControlPlaneAct[];
  intents: LedgerIntent[];
  lookedUp: LookedUp;
  keys: KnownKey[];
  /** Client ids (or object ids) of our own identities. */
  ownClients: string[];
  /** What the metric ServiceApiHit counted, by quarter of an hour; absent: not read. */
  serviceHits?: { quarter: string; hits: number }[];
  /** Instants at which our canary call succeeded, as its caller saw it; absent: not known. */
  canarySuccesses?: string[];
  /** Incidents that are open, so that what belongs to them is not learnt as usual. */
  openIncidents?: { caller?: string; key?: string; from: string }[];
  /** Whom and what open incidents have watched, until when: what is found of them weighs a band more. */
  watches?: { incident: string; since?: string; until: string; caller?: string; keys: string[] }[];
  /** Object ids of the emergency accounts of the policy: nothing of theirs is kept from people as a repeat. */
  breakGlass?: string[];
  /** Findings on the other HSMs of the estate, of the last 30 days. */
  elsewhere?: RecentFinding[];
}
