import { PARAMETERS } from './parameters.ts';

/** Names of detectors; each is a file of `detectors/`, and a row of the table in shared/detection/README.md. */
export type DetectorId = keyof typeof PARAMETERS;

export type Parameters<Id extends DetectorId> = Record<keyof (typeof PARAMETERS)[Id], number>;

/** A service, an application or a job that is known to use the HSM. */
export interface KnownIdentity {
  /** Object id, lower case. */
  oid: string;
  name: string;
  /** What it should do: `storage` and `sql` wrap and unwrap, `app` and `batch` do what they always did. */
  kind: 'storage' | 'sql' | 'app' | 'batch';
  /** SQL only: a failover unwraps once a database, and that many at once are no finding, twice in 24 hours. */
  databases?: number;
}

/** A change that the owners announced: a new consumer, a migration, a campaign of re-encryption. */
export interface AnnouncedChange {
  /** Object id of the caller; absent: any caller. */
  oid?: string;
  /** Name of the key; absent: any key. */
  key?: string;
  /** ISO instants. */
  from: string;
  until: string;
  why: string;
}

/** What detection does on one HSM: the section `detection` of the policy document, resolved. */
export interface DetectionRule {
  detectors: { [Id in DetectorId]: { on: boolean; suppressMinutes: number; parameters: Parameters<Id> } };
  calendar: {
    /** IANA name; day types and hours of people are local. */
    timeZone: string;
    /** `YYYY-MM-DD`, on which a weekday behaves as a weekend. */
    holidays: string[];
    /** So many days at the end and at the beginning of a month may be busier by the factor. */
    monthEnd: { lastDays: number; firstDays: number; factor: number };
    /** Full hours in which people work; `from` inclusive, `to` exclusive. */
    workingHours: { from: number; to: number };
  };
  /** Names of keys that nobody has business with. */
  decoyKeys: string[];
  /** Addresses of containers that full backups go to, without query. Empty: any container is unapproved. */
  backupContainers: string[];
  identities: KnownIdentity[];
  announced: AnnouncedChange[];
  /** Classes of the policy document whose keys weigh more. */
  tier0Classes: string[];
  /** The whole HSM weighs more. */
  tier0Hsm: boolean;
  /** A test HSM's destruction weighs half. */
  production: boolean;
  network: {
    /** No call but one of a trusted service may come from a public address. */
    privateOnly: boolean;
    /** Public ranges of ours, `203.0.113.0/24`. */
    allowedRanges: string[];
    /** Addresses and ranges that a list calls hostile. */
    threatRanges: string[];
    /** Names of services that may use the bypass; empty: any. */
    trustedServices: string[];
  };
  /** Our own regular call, by which silence of the log is told from silence of the HSM. Absent: rows of anyone count. */
  canary?: { oid: string; key: string; everyMinutes: number };
  /** Days of history before which rules alone judge, novelty judges, and volumes judge. */
  learning: { rulesOnlyDays: number; noveltyDays: number; volumeDays: number };
  /** Clocks of the log and of the journal may differ by so much, beyond the window of an intent. */
  toleranceMinutes: number;
}

/** Suppression of repeats, in minutes; 0: each is told. */
const SUPPRESSED: Record<DetectorId, number> = {
  'security-domain-access': 0,
  'unplanned-backup': 0,
  'unplanned-restore': 0,
  'key-material-movement': 1440,
  'role-assignment-change': 15,
  'guard-rail-change': 15,
  destruction: 0,
  'logging-gap': 0,
  'denied-burst': 60,
  'first-seen-caller': 1440,
  'unfamiliar-network': 1440,
  'volume-out-of-season': 1440,
  'dormant-key-use': 1440,
  'break-glass-use': 0,
  'decoy-key-use': 1440,
  'superseded-version-use': 10_080,
  'operation-mix': 1440,
  'unclassified-call': 1440,
  'unannounced-own-act': 0,
};

export const DETECTOR_IDS = Object.keys(PARAMETERS) as DetectorId[];

/** In force for an HSM of which the document says nothing. */
export const BUILT_IN_DETECTION_RULE: DetectionRule = {
  detectors: Object.fromEntries(
    DETECTOR_IDS.map((id) => [
      id,
      {
        on: true,
        suppressMinutes: SUPPRESSED[id],
        parameters: Object.fromEntries(Object.entries(PARAMETERS[id]).map(([name, { value }]) => [name, value])),
      },
    ]),
  ) as DetectionRule['detectors'],
  calendar: {
    timeZone: 'UTC',
    holidays: [],
    monthEnd: { lastDays: 1, firstDays: 0, factor: 3 },
    workingHours: { from: 6, to: 20 },
  },
  decoyKeys: [],
  backupContainers: [],
  identities: [],
  announced: [],
  tier0Classes: ['tier0'],
  tier0Hsm: false,
  production: true,
  network: { privateOnly: false, allowedRanges: [], threatRanges: [], trustedServices: [] },
  learning: { rulesOnlyDays: 3, noveltyDays: 14, volumeDays: 21 },
  toleranceMinutes: 5,
};
