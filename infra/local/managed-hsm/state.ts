import type { RoleAssignment } from './access.ts';
import type { KeyStore } from './keys.ts';
import { curveOf, sizeOf } from './material.ts';
import type { DeletedKey, Key, KeyVersion } from './model.ts';
import type { RoleDefinition } from './roles.ts';
import { attributesOf, deletedKeyUrl, keyUrl, rotationPolicyAnswer, type Vault } from './wire.ts';

/** One HSM as the control surface shows it. Nothing private: of key material only its kind. */
export interface HsmState {
  name: string;
  uri: string;
  keys: KeyState[];
  deletedKeys: (KeyState & { recoveryId: string; deletedDate: number; scheduledPurgeDate: number })[];
  roleDefinitions: RoleDefinition[];
  roleAssignments: RoleAssignment[];
  settings: Record<string, string>[];
  busy: 'backup' | 'restore' | undefined;
  /** Authenticated calls, refused ones included, by operation name. */
  calls: { total: number; byOperation: Record<string, number> };
}

export interface KeyState {
  name: string;
  rotationPolicy: Record<string, unknown> | undefined;
  /** Oldest first. */
  versions: VersionState[];
}

export interface VersionState {
  kid: string;
  version: string;
  kty: string;
  size?: number;
  crv?: string;
  keyOps: string[];
  /** As on the wire: Unix seconds. */
  attributes: Record<string, unknown>;
  tags: Record<string, string>;
  imported: boolean;
}

export const keyStates = (vault: Vault, keys: KeyStore): Pick<HsmState, 'keys' | 'deletedKeys'> => ({
  keys: keys.list().map((key) => keyState(vault, key)),
  deletedKeys: keys.listDeleted().map((key) => deletedKeyState(vault, key)),
});

function keyState(vault: Vault, key: Key): KeyState {
  return {
    name: key.name,
    rotationPolicy: key.rotationPolicy && rotationPolicyAnswer(vault, key.name, key.rotationPolicy),
    versions: key.versions.map((version) => versionState(vault, key.name, version)),
  };
}

const deletedKeyState = (vault: Vault, key: DeletedKey) => ({
  ...keyState(vault, key),
  recoveryId: deletedKeyUrl(vault, key.name),
  deletedDate: key.deletedDate,
  scheduledPurgeDate: key.scheduledPurgeDate,
});

function versionState(vault: Vault, name: string, version: KeyVersion): VersionState {
  const { kty } = version.material;
  return {
    kid: keyUrl(vault, name, version.version),
    version: version.version,
    kty,
    ...(kty === 'EC-HSM' ? { crv: curveOf(version.material) } : { size: sizeOf(version.material) }),
    keyOps: [...version.keyOps],
    attributes: attributesOf(vault, version),
    tags: { ...version.tags },
    imported: version.imported ?? false,
  };
}
