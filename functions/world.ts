import type { AlertSettings, EndpointSettings, HsmSettings } from '../shared/config.ts';
import type { HeartbeatSchedules } from '../shared/heartbeat/expected.ts';
import type { AuditLog } from '../shared/ports/audit-log.ts';
import type { BackupVault } from '../shared/ports/backup-vault.ts';
import type { Certificates } from '../shared/ports/certificates.ts';
import type { Clock } from '../shared/ports/clock.ts';
import type { CreationSlots } from '../shared/ports/creation-slots.ts';
import type { Documents } from '../shared/ports/documents.ts';
import type { EventPublisher } from '../shared/ports/event-publisher.ts';
import type { HsmAccess } from '../shared/ports/hsm-access.ts';
import type { HsmBackups } from '../shared/ports/hsm-backups.ts';
import type { HsmConfiguration } from '../shared/ports/hsm-configuration.ts';
import type { HsmCrypto } from '../shared/ports/hsm-crypto.ts';
import type { HsmDeletedKeys } from '../shared/ports/hsm-deleted-keys.ts';
import type { HsmDiagnostics } from '../shared/ports/hsm-diagnostics.ts';
import type { HsmEndpoints } from '../shared/ports/hsm-endpoints.ts';
import type { HsmKeys } from '../shared/ports/hsm-keys.ts';
import type { HsmResources } from '../shared/ports/hsm-resources.ts';
import type { JournalLog } from '../shared/ports/journal-log.ts';
import type { Mailer } from '../shared/ports/mailer.ts';
import type { SecurityDomain } from '../shared/ports/security-domain.ts';
import type { ServiceMetrics } from '../shared/ports/service-metrics.ts';
import type { Webhooks } from '../shared/ports/webhooks.ts';

/** A duty and the identity that serves it; each has the least role that works. */
export type Duty = 'observe' | 'rotate' | 'backup' | 'restore' | 'respond' | 'reinstate';

/** What backups need; present where the installation has a landing container and a vault account. */
export interface BackupWorld {
  landingContainerUrl: string;
  vaultBlobUrl: string;
  vaultRegion: string;
  /** As the identity of the duty backup. */
  service: HsmBackups;
  vault: BackupVault;
  /** Reads roles for the manifest, as the observing identity. */
  access: HsmAccess;
  resources: HsmResources;
  /** As the identity of the duty restore; absent until a drill or a recovery grants it. */
  restores?: HsmBackups;
  /** As the identity of the duty restore. */
  deletedKeys?: HsmDeletedKeys;
}

/** What a recovery needs, all as the identity of the duty restore, which administers the new HSM. */
export interface RecoveryWorld {
  resources: HsmResources;
  securityDomain: SecurityDomain;
  jobs: HsmBackups;
  /** Where private endpoints of new HSMs are made; absent: people make them, and no drill makes an HSM. */
  endpoints?: EndpointSettings & { service: HsmEndpoints };
}

/** What containment needs; present where an identity has the duty respond. */
export interface ResponseWorld {
  /** As the identity of the duty respond: reads roles and takes assignments away. It can grant nothing. */
  access: HsmAccess;
  /** As the identity of the duty reinstate, which alone may grant; absent: people put assignments back. */
  reinstate?: HsmAccess;
}

/** What detection reads, all as the observing identity; present where the installation has a log workspace. */
export interface DetectionWorld {
  log: AuditLog;
  access: HsmAccess;
  configuration: HsmConfiguration;
  resources: HsmResources;
  diagnostics: HsmDiagnostics;
  /** Jobs that anybody started. */
  jobs: Pick<HsmBackups, 'readJob'>;
  metrics: ServiceMetrics;
  /** By which the log names the observing identity; undefined while its tokens do not say. */
  observerId(): Promise<string | undefined>;
}

export interface Identity {
  duty: Duty;
  clientId: string;
}

/** Everything that activities and operator handlers may touch, in our words. Built once in main.ts. */
export interface World {
  installation: string;
  /** Who is told when the policy names nobody, or while there is no policy. */
  fallbackRecipients: string[];
  /** Those of the settings, and those that joined since; one list, into which the adapters look. */
  hsms: HsmSettings[];
  identities: Record<'observe' | 'rotate', Identity> & Partial<Record<Duty, Identity>>;
  /** Reads as the observing identity, acts as the rotating one. */
  keys: Record<'observe' | 'rotate', HsmKeys>;
  crypto: HsmCrypto;
  certificates: Certificates;
  documents: Documents;
  journal: JournalLog;
  events: EventPublisher;
  mailer: Mailer;
  webhooks: Webhooks;
  slots: CreationSlots;
  clock: Clock;
  /** What runs by the clock, when the watch looks at it, and how late it may be. */
  heartbeats: { schedules: HeartbeatSchedules; schedule: string; graceMinutes: number };
  backups?: BackupWorld;
  recovery?: RecoveryWorld;
  response?: ResponseWorld;
  /** From which applications and rules of Azure Monitor alerts are taken. */
  alerts: AlertSettings;
  /** The workspace that holds the HSMs' audit rows; absent: nothing is detected, and evidence has that gap. */
  auditLog?: AuditLog;
  detection?: DetectionWorld;
  /** How long a call whose reply was lost may still take effect, and a write may need to be seen, in milliseconds. */
  settleMs(hsm: string): number;
}
