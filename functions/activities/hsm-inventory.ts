import type { BackupManifest, HsmInventory, ManifestKey } from '../../shared/backup/manifest.ts';
import { hasCode } from '../../shared/errors.ts';
import type { KeySummary } from '../../shared/keys/key.ts';
import type { World } from '../world.ts';
import { backupWorld } from './backup-world.ts';

/** Keys read at once: far below what the HSM serves. */
const AT_ONCE = 8;

/**
 * Everything of an HSM that a backup should bring back, as far as it can be read with the observing identity: keys with all
 * versions, attributes, tags and rotation policy, and every role definition and assignment, those at key scope included.
 */
export async function readHsmInventory(world: World, hsm: string): Promise<HsmInventory & { externalKeys: string[] }> {
  const { access } = backupWorld(world);
  const summaries: KeySummary[] = [];
  for await (const page of world.keys.observe.pages(hsm)) summaries.push(...page);
  const keys: ManifestKey[] = [];
  for (let start = 0; start < summaries.length; start += AT_ONCE) {
    const read = await Promise.all(
      summaries.slice(start, start + AT_ONCE).map(({ name }) => readManifestKey(world, hsm, name)),
    );
    keys.push(...read.flatMap((key) => (key ? [key] : [])));
  }
  const [roleDefinitions, roleAssignments] = await Promise.all([
    access.roleDefinitions(hsm),
    access.inventory(
      hsm,
      keys.map(({ name }) => name),
    ),
  ]);
  const externalKeys = summaries.filter(({ tags }) => isExternal(tags)).map(({ name }) => name);
  return { keys, roleDefinitions, roleAssignments, externalKeys };
}

/** A key that was deleted since it was listed is left out. */
export async function readManifestKey(world: World, hsm: string, name: string): Promise<ManifestKey | undefined> {
  const key = { hsm, name };
  const observe = world.keys.observe;
  const [newest, versions, rotationPolicy] = await Promise.all([
    observe.read(key).catch(notFoundAsUndefined),
    observe.versions(key).catch(notFoundAsUndefined),
    observe.readRotationPolicy(key).catch(notFoundAsUndefined),
  ]);
  if (!newest || !versions) return undefined;
  const { keyType, keySize, curve, keyOps, exportable, tags, publicFingerprint } = newest;
  return {
    name,
    keyType,
    keyOps,
    exportable,
    tags,
    ...(keySize === undefined ? {} : { keySize }),
    ...(curve === undefined ? {} : { curve }),
    ...(rotationPolicy ? { rotationPolicy } : {}),
    versions: versions.map(({ version, enabled, createdOn, expiresOn }) => ({
      version,
      enabled,
      createdOn,
      ...(expiresOn === undefined ? {} : { expiresOn }),
      ...(version === newest.version && publicFingerprint !== undefined ? { publicFingerprint } : {}),
    })),
  };
}

/**
 * An inventory knows the material of newest versions only, and a key may have been rotated since the restore, by the HSM itself
 * or by a person: the versions whose material the manifest knows are read by themselves, or they would seem to differ.
 */
export async function withSealedMaterial<T extends HsmInventory>(
  world: World,
  hsm: string,
  manifest: BackupManifest,
  inventory: T,
): Promise<T> {
  const sealed = new Set(
    manifest.keys.flatMap(({ name, versions }) =>
      versions.flatMap(({ version, publicFingerprint }) => (publicFingerprint ? [`${name}/${version}`] : [])),
    ),
  );
  const keys: ManifestKey[] = [];
  for (const key of inventory.keys) {
    const versions: ManifestKey['versions'] = [];
    for (const each of key.versions) {
      if (each.publicFingerprint !== undefined || !sealed.has(`${key.name}/${each.version}`)) {
        versions.push(each);
        continue;
      }
      const { publicFingerprint } = await world.keys.observe.read({ hsm, name: key.name }, each.version);
      versions.push({ ...each, ...(publicFingerprint === undefined ? {} : { publicFingerprint }) });
    }
    keys.push({ ...key, versions });
  }
  return { ...inventory, keys };
}

/** A key that an external key manager holds cannot be told apart through api-version 2025-07-01; a tag names it. */
export const isExternal = (tags: Record<string, string>): boolean => tags.origin === 'external';

export const notFoundAsUndefined = (error: unknown): undefined => {
  if (hasCode(error, 'ERR_NOT_FOUND')) return undefined;
  throw error;
};
