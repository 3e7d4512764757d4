/** Names one key on one HSM. `hsm` is the name given in settings, not the host. */
export interface KeyRef {
  hsm: string;
  name: string;
}

export type KeyType = 'RSA-HSM' | 'EC-HSM' | 'oct-HSM';

export type KeyOperation =
  | 'encrypt'
  | 'decrypt'
  | 'sign'
  | 'verify'
  | 'wrapKey'
  | 'unwrapKey'
  | 'import'
  | 'export'
  | 'deriveKey';

export type Tags = Record<string, string>;

/** One row of a list page: attributes of the newest version, without its version id and without key material. */
export interface KeySummary {
  name: string;
  enabled: boolean;
  /** ISO instants. */
  createdOn: string;
  updatedOn: string;
  expiresOn?: string;
  notBefore?: string;
  tags: Tags;
}

/** One version of a key, read whole. Public material is reduced to a fingerprint: we compare it, we never need it. */
export interface KeyFacts extends KeySummary {
  /** 32 hex digits. */
  version: string;
  keyType: KeyType;
  /** Bits; RSA and oct keys. */
  keySize?: number;
  curve?: string;
  keyOps: KeyOperation[];
  exportable: boolean;
  recoveryLevel: string;
  /** SHA-256 over the public members of the JWK, hex; absent for oct keys, which have none. */
  publicFingerprint?: string;
}

export interface KeyVersionSummary {
  version: string;
  enabled: boolean;
  createdOn: string;
  expiresOn?: string;
}

/** The rotation policy that the HSM itself keeps for a key. Durations are ISO 8601. */
export interface HsmRotationPolicy {
  /** Sets `exp` of the next version. */
  expiryTime?: string;
  /** At most one of the two: when the HSM rotates by itself. */
  rotateAfterCreate?: string;
  rotateBeforeExpiry?: string;
}

/** A key holds 100 versions at most, and none can be deleted singly. https://learn.microsoft.com/azure/key-vault/managed-hsm/service-limits */
export const VERSION_LIMIT = 100;

/** `expiryTime` and `timeAfterCreate` are 28 days at least. https://learn.microsoft.com/azure/key-vault/managed-hsm/key-rotation */
export const SHORTEST_POLICY_DAYS = 28;

export const keyLabel = (key: KeyRef): string => `${key.hsm}/${key.name}`;

/**
 * The service compares key names without case, so what must be one for one key (instance ids, ledgers, inventory) is named
 * by this form, while messages keep the spelling.
 */
export const canonicalName = (key: Pick<KeyRef, 'name'>): string => key.name.toLowerCase();
