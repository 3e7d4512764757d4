import type { PartialDetection } from './detection-section.ts';
import type { BackupRule, BackupSchedule, CustodyRule, DrillRule, GeographyRule, RecoveryRule } from './hsm-rule.ts';
import type { PartialResponse } from './response-rule.ts';
import type { Blackout, MaintenanceWindow, RotationRule } from './rule.ts';

/**
 * The policy document as a person writes it. Whatever is left out is inherited: built in, then `defaults`, then the class,
 * then the matching `keys` entries, then the key's own tags. Lists replace, they do not merge.
 */
export interface PolicyDocument extends HsmSections {
  /** Address of the JSON Schema, for editors. */
  $schema?: string;
  version: 1;
  defaults?: PartialRule;
  classes?: Record<string, PartialRule>;
  keys?: KeyEntry[];
  /** What differs for single HSMs; all matching entries apply, most literal last. */
  hsms?: HsmEntry[];
  owners: Owners;
}

/** What holds for an HSM as a whole. A field that is left out is inherited. */
export interface HsmSections {
  backup?: PartialBackup;
  drills?: Partial<DrillRule>;
  custody?: Partial<CustodyRule>;
  recovery?: Partial<RecoveryRule>;
  geography?: Partial<GeographyRule>;
  response?: PartialResponse;
  detection?: PartialDetection;
}

export interface PartialBackup extends Partial<Omit<BackupRule, 'schedule' | 'retention'>> {
  /** Replaces the whole schedule; the zone is UTC unless named. */
  schedule?: Pick<BackupSchedule, 'every'> & Partial<BackupSchedule>;
  /** Member by member. */
  retention?: Partial<BackupRule['retention']>;
}

export interface HsmEntry extends HsmSections {
  match: string;
  notice?: PartialNotice;
}

export interface PartialRule {
  rotation?: PartialRotation;
  notice?: PartialNotice;
}

export interface PartialRotation {
  mode?: RotationRule['mode'];
  before?: string;
  /** null: none, whatever is inherited. */
  maximumAge?: string | null;
  validity?: string;
  /** null: none, whatever is inherited. */
  backstop?: string | null;
  jitter?: string;
  windows?: MaintenanceWindow[];
  blackouts?: Blackout[];
  proof?: RotationRule['proof'];
  backupFirst?: boolean;
  drift?: RotationRule['drift'];
  plannedLife?: string;
  budgetWarning?: string;
  /** Member by member. */
  adoption?: Partial<RotationRule['adoption']>;
  /** Member by member. */
  retirement?: Partial<RotationRule['retirement']>;
}

export interface PartialNotice {
  notify?: string[];
  /** A name from `owners.names`. */
  owner?: string;
}

/** Applies to the keys whose name matches, on the HSMs whose name matches; all matching entries apply, most literal last. */
export interface KeyEntry extends PartialRule {
  match: string;
  hsm?: string;
  class?: string;
}

export interface Owners {
  /** Who is told when nobody else is named. */
  fallback: string[];
  names?: Record<string, string[]>;
  /** What each webhook of the settings is told; one that is not named here is told everything. */
  webhooks?: Record<string, WebhookRoute>;
}

/** All that is given has to hold; what is left out does not narrow. */
export interface WebhookRoute {
  /** Patterns for the types of events and the kinds of notices, such as `Backup*`. None: neither. */
  types?: string[];
  /** Pattern for the names of HSMs; what concerns no HSM passes. */
  hsm?: string;
  events?: boolean;
  notices?: boolean;
  /** The least severity of a notice. */
  severity?: 'info' | 'attention' | 'critical';
}

/** One thing wrong with the document. */
export interface PolicyFault {
  /** `classes.tier0.rotation.before`, `keys[2].match`; empty for the document as a whole. */
  path: string;
  /** The rule that was broken, as a sentence without a full stop. */
  rule: string;
  got: string;
  example: string;
}

/** In force when the document says nothing: rotates a month before a yearly expiry, at any time, and says what it did. */
export const BUILT_IN_ROTATION: RotationRule = {
  mode: 'rotate',
  before: 'P30D',
  validity: 'P1Y',
  jitter: 'PT0S',
  windows: [],
  blackouts: [],
  proof: 'whenPossible',
  backupFirst: false,
  drift: 'repair',
  plannedLife: 'P10Y',
  budgetWarning: 'P1Y',
  // Storage accounts take up to a day to adopt a new version, and batch work may run once a month.
  // https://learn.microsoft.com/azure/storage/common/customer-managed-keys-overview
  adoption: { lookBack: 'P35D', silence: 'P35D' },
  retirement: { grace: 'P7D', approvalLasts: 'P3D', watch: 'P2D' },
};
