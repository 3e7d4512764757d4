/** Published under `ManagedHsmLifecycle.`; adding is free, renaming is a migration of every subscriber. */
export type LifecycleEventType =
  | 'KeyNearExpiry'
  | 'KeyExpired'
  | 'KeyNewVersionCreated'
  | 'KeyRotationRefused'
  | 'KeyRotationFailed';

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
  /** Resource id of the HSM. */
  source: string;
  /** `keys/{name}`. */
  subject: string;
  /** ISO instant of the fact. */
  time: string;
  data: KeyEventData & Record<string, unknown>;
}

export const EVENT_PREFIX = 'ManagedHsmLifecycle.';
