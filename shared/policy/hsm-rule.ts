import { BUILT_IN_DETECTION_RULE, type DetectionRule } from '../detection/rule.ts';
import { BUILT_IN_RESPONSE, type ResponseRule } from './response-rule.ts';
import type { NoticeRule } from './rule.ts';

/**
 * The effective rule of one HSM: how it is backed up, how restores are rehearsed, who holds its security domain, and what a
 * recovery needs. Durations are ISO 8601 texts.
 */
export interface HsmRule {
  backup: BackupRule;
  drills: DrillRule;
  custody: CustodyRule;
  recovery: RecoveryRule;
  geography: GeographyRule;
  response: ResponseRule;
  detection: DetectionRule;
  /** Who is told of what concerns the HSM as a whole. */
  notice: NoticeRule;
}

export interface BackupRule {
  /** `off`: taken only when a person asks. */
  mode: 'on' | 'off';
  schedule: BackupSchedule;
  /** Recovery point objective: how old the newest backup may be. */
  rpo: string;
  /** How long the copy in the vault account is locked by time-based immutability. */
  lock: string;
  retention: RetentionRule;
  /** A scheduled backup that failed is tried again after this long, so often at most. */
  retryAfter: string;
  retries: number;
}

/**
 * When backups are due. Whole days are counted on the calendar of the zone from `starts`, and the backup is due at the local
 * time `at`; anything else is elapsed time since the first instant of `starts` in UTC.
 */
export interface BackupSchedule {
  /** Weeks, days, hours and minutes; one hour at least, 31 days at most. */
  every: string;
  /** Local time `HH:MM`; only where `every` is whole days. Absent: midnight. */
  at?: string;
  /** IANA name. */
  timeZone: string;
  /** Day from which is counted, `YYYY-MM-DD`. */
  starts: string;
}

/** Grandfather, father, son: the newest of each of so many days, weeks, months and years that have a backup. */
export interface RetentionRule {
  /** The newest ones, whatever their day. */
  last: number;
  daily: number;
  weekly: number;
  monthly: number;
  yearly: number;
}

export interface DrillRule {
  mode: 'on' | 'off';
  /** How often a restore is rehearsed. */
  every: string;
  /** The newest backup of the window, or one of it by chance. */
  pick: 'latest' | 'random';
  /** How far back a backup may be picked from: 1 to 365 days. */
  window: string;
  /** A backup chain counts as proven for this long after a drill that passed. */
  proofInterval: string;
  target: DrillTarget;
  /** Recovery time objective: how long a restore may take until it is verified. */
  rto: string;
  /** How long a drill on a temporary HSM waits for its people, from its start on; then it ends undecided. */
  holdersWithin: string;
  /**
   * Object ids of those who administer a temporary HSM, beside the initial administrators of its source: the identity of the
   * duty restore among them, unless a group of those holds it.
   */
  administratorIds?: string[];
  /** What one HSM costs in an hour while it exists, soft-deleted included; absent: not known. */
  pricePerHour?: number;
  /** ISO 4217. */
  currency: string;
  /** What one drill may cost; absent: no limit. */
  budget?: number;
}

/** `standing`: an HSM kept for drills. `temporary`: one that is made for the drill and removed after it. */
export type DrillTarget =
  | { kind: 'standing'; hsm: string }
  | { kind: 'temporary'; region: string; softDeleteDays: number };

export interface CustodyRule {
  /** A share counts as reachable for this long after somebody saw it. */
  sightingValid: string;
  /** So many reachable shares more than the quorum needs; fewer raise the alarm. */
  margin: number;
  /** How long before a wrapping certificate expires its holder is reminded. */
  expiryWarning: string;
  /** How often the custody of the security domain is reviewed. Microsoft advises quarterly at least. */
  reviewEvery: string;
}

export interface RecoveryRule {
  /** How long an approval of a restore stays good. */
  approvalLasts: string;
  /**
   * The service demands a full backup of the target and documents its age in two ways: completed at least 30 minutes before
   * (since 2022), or within the last 30 minutes (before). `ask` takes one, tries, and does what the answer asks for.
   * https://learn.microsoft.com/azure/key-vault/managed-hsm/backup-restore
   */
  thirtyMinuteRule: 'ask' | 'atLeast' | 'within';
  /** People who can act as Managed HSM Administrator; fewer are a prerequisite unmet. */
  administrators: number;
  /** Where the new HSM is made; absent: decided on the day. */
  region?: string;
}

export interface GeographyRule {
  /** Azure regions that may hold copies, `westeurope`; empty: the region of the HSM alone. */
  regions: string[];
}

/** In force for an HSM of which the document says nothing. */
export const BUILT_IN_HSM_RULE: Omit<HsmRule, 'notice'> = {
  backup: {
    mode: 'on',
    // 1970-01-04 was a Sunday, so a weekly schedule that names no day runs when the week is quietest.
    schedule: { every: 'P1D', at: '02:00', timeZone: 'UTC', starts: '1970-01-04' },
    rpo: 'P2D',
    lock: 'P30D',
    retention: { last: 3, daily: 14, weekly: 8, monthly: 12, yearly: 3 },
    retryAfter: 'PT1H',
    retries: 3,
  },
  drills: {
    mode: 'off',
    every: 'P90D',
    pick: 'latest',
    window: 'P30D',
    proofInterval: 'P100D',
    // 7 days is the shortest retention of a soft-deleted HSM, and each of them is billed.
    target: { kind: 'temporary', region: '', softDeleteDays: 7 },
    rto: 'PT8H',
    holdersWithin: 'P3D',
    currency: 'USD',
  },
  custody: { sightingValid: 'P100D', margin: 1, expiryWarning: 'P60D', reviewEvery: 'P3M' },
  recovery: { approvalLasts: 'PT8H', thirtyMinuteRule: 'ask', administrators: 2 },
  geography: { regions: [] },
  response: BUILT_IN_RESPONSE,
  detection: BUILT_IN_DETECTION_RULE,
};
