/** Published under `ManagedHsmLifecycle.`; adding is free, renaming is a migration of every subscriber. */
export type LifecycleEventType =
  | 'KeyNearExpiry'
  | 'KeyExpired'
  | 'KeyNewVersionCreated'
  | 'KeyRotationRefused'
  | 'KeyRotationFailed'
  | 'KeyVersionAdopted'
  | 'KeyVersionRetired'
  | HsmEventType;

/** Facts about an HSM as a whole. */
export type HsmEventType =
  | 'BackupCompleted'
  | 'BackupFailed'
  | 'BackupOverdue'
  | 'DrillPassed'
  | 'DrillFailed'
  | 'RestoreCompleted'
  | 'CustodyExpiring'
  | 'QuorumAtRisk'
  | 'HeartbeatMissed'
  | 'IncidentOpened'
  | 'IncidentContained'
  | 'IncidentClosed'
  | 'FindingRaised';

/**
 * The data shape of the vault's own key events, so that handlers written for vaults work unchanged. NBF and EXP are Unix
 * seconds. https://learn.microsoft.com/azure/event-grid/event-schema-key-vault
 */
export interface KeyEventData {
  Id: string;
  VaultName: string;
  ObjectType: 'Key';
  ObjectName: string;
  Version: string;
  NBF: number | null;
  EXP: number | null;
}

export interface LifecycleEvent {
  /** Deterministic for the fact it states, so that a repeat is the same event. */
  id: string;
  type: LifecycleEventType;
  /** Resource id of the HSM; of a heartbeat that concerns them all, the installation. */
  source: string;
  /** `keys/{name}`, or the operation: `backups/{id}`, `drills/{id}`, `restores/{id}`, `custody/{security domain}`, `heartbeats/{name}`,
   * `incidents/{id}`, `findings/{id}`.
   */
  subject: string;
  /** ISO instant of the fact. */
  time: string;
  data: (KeyEventData | HsmEventData) & Record<string, unknown>;
}

/** What every event about an HSM as a whole carries; the rest of its data is named by its type. */
export interface HsmEventData {
  hsm: string;
  /** One sentence for people. */
  summary: string;
  /** The backup, drill, restore or security domain that it is about. */
  reference: string;
}

export const EVENT_PREFIX = 'ManagedHsmLifecycle.';
