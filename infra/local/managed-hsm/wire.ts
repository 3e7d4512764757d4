import { randomInt } from 'node:crypto';
import { publicMembers } from './material.ts';
import { type DeletedKey, type Key, type KeyVersion, newest } from './model.ts';
import type { RotationPolicy } from './rotation-policy.ts';

/** What every answer about a key needs to know of its HSM. */
export interface Vault {
  /** `https://{name}.managedhsm.azure.net:{port}`, at the start of every identifier. */
  uri: string;
  retentionDays: number;
  purgeProtection: boolean;
}

export const keyUrl = (vault: Vault, name: string, version?: string): string =>
  `${vault.uri}/keys/${name}${version === undefined ? '' : `/${version}`}`;

export const deletedKeyUrl = (vault: Vault, name: string): string => `${vault.uri}/deletedkeys/${name}`;

/** Members in alphabetical order, as the service writes them. Times are Unix seconds. */
export function attributesOf(vault: Vault, version: KeyVersion): Record<string, unknown> {
  return {
    created: version.created,
    enabled: version.enabled,
    ...(version.exp === undefined ? {} : { exp: version.exp }),
    exportable: version.exportable,
    ...(version.nbf === undefined ? {} : { nbf: version.nbf }),
    recoverableDays: vault.retentionDays,
    recoveryLevel: recoveryLevel(vault),
    updated: version.updated,
  };
}

/** Source: DeletionRecoveryLevel of the REST description; recorded with 7 and 90 days. */
const recoveryLevel = ({ retentionDays, purgeProtection }: Vault) =>
  `${retentionDays < 90 ? 'CustomizedRecoverable' : 'Recoverable'}${purgeProtection ? '' : '+Purgeable'}`;

/** KeyBundle. */
export function keyBundle(vault: Vault, key: Key, version: KeyVersion = newest(key)): Record<string, unknown> {
  return {
    attributes: attributesOf(vault, version),
    key: jsonWebKey(vault, key.name, version),
    ...(version.releasePolicy ? { release_policy: version.releasePolicy } : {}),
    ...(version.tags ? { tags: version.tags } : {}),
  };
}

/** DeletedKeyBundle of the newest version. */
export function deletedKeyBundle(vault: Vault, key: DeletedKey): Record<string, unknown> {
  const version = newest(key);
  return {
    attributes: attributesOf(vault, version),
    deletedDate: key.deletedDate,
    key: jsonWebKey(vault, key.name, version),
    recoveryId: deletedKeyUrl(vault, key.name),
    ...(version.releasePolicy ? { release_policy: version.releasePolicy } : {}),
    scheduledPurgeDate: key.scheduledPurgeDate,
    ...(version.tags ? { tags: version.tags } : {}),
  };
}

/** KeyItem: the newest version's attributes under the base identifier, or one version under its own. */
export function keyItem(vault: Vault, key: Key, version?: KeyVersion): Record<string, unknown> {
  const shown = version ?? newest(key);
  return {
    attributes: attributesOf(vault, shown),
    kid: keyUrl(vault, key.name, version?.version),
    ...(shown.tags ? { tags: shown.tags } : {}),
  };
}

export function deletedKeyItem(vault: Vault, key: DeletedKey): Record<string, unknown> {
  const { attributes, kid, tags } = keyItem(vault, key);
  return {
    attributes,
    deletedDate: key.deletedDate,
    kid,
    recoveryId: deletedKeyUrl(vault, key.name),
    scheduledPurgeDate: key.scheduledPurgeDate,
    ...(tags ? { tags } : {}),
  };
}

export function rotationPolicyAnswer(
  vault: Vault,
  name: string,
  policy: RotationPolicy | undefined,
): Record<string, unknown> {
  const { expiryTime, rotate, created, updated } = policy ?? {};
  return {
    attributes: {
      ...(created === undefined ? {} : { created }),
      ...(expiryTime === undefined ? {} : { expiryTime }),
      ...(updated === undefined ? {} : { updated }),
    },
    id: `${keyUrl(vault, name)}/rotationpolicy`,
    lifetimeActions: rotate ? [{ action: { type: 'rotate' }, trigger: rotate }] : [],
  };
}

function jsonWebKey(vault: Vault, name: string, version: KeyVersion): Record<string, unknown> {
  const { before, after } = publicMembers(version.material);
  // Recorded: the order of key_ops changes between two answers about the same key, so it starts anywhere.
  const turn = version.keyOps.length === 0 ? 0 : randomInt(version.keyOps.length);
  return {
    ...before,
    key_ops: [...version.keyOps.slice(turn), ...version.keyOps.slice(0, turn)],
    kid: keyUrl(vault, name, version.version),
    kty: version.material.kty,
    ...after,
  };
}
