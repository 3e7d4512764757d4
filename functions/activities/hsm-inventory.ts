import type { BackupManifest, HsmInventory, ManifestKey } from '../../shared/backup/manifest.ts';
import { hasCode } from '../../shared/errors.ts';
import type { KeySummary, KeyVersionSummary } from '../../shared/keys/key.ts';
import type { World } from '../world.ts';
import { backupWorld } from './backup-world.ts';

/** Keys read at once: far below what the HSM serves. */
const AT_ONCE = 8;

/**
 * Everything of an HSM that a backup should bring back, as far as it can be read with the observing identity: keys with all
 * versions, attributes, tags and rotation policy, and every role definition and assignment, those at key scope included. The
 * material is that of newest versions; with `takenOn`, of the newest one made before it as well, because a key may be rotated
 * while its backup is taken.
 */
export async function readHsmInventory(
  world: World,
  hsm: string,
  takenOn?: string,
): Promise<HsmInventory & { externalKeys: string[] }> {
  const { access } = backupWorld(world);
  const summaries: KeySummary[] = [];
  for await (const page of world.keys.observe.pages(hsm)) summaries.push(...page);
  const keys: ManifestKey[] = [];
  for (let start = 0; start < summaries.length; start += AT_ONCE) {
    const read = await Promise.all(
      summaries.slice(start, start + AT_ONCE).map(({ name }) => readManifestKey(world, hsm, name, takenOn)),
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
export async function readManifestKey(
  world: World,
  hsm: string,
  name: string,
  takenOn?: string,
): Promise<ManifestKey | undefined> {
  const key = { hsm, name };
  const observe = world.keys.observe;
  const [newest, versions, rotationPolicy] = await Promise.all([
    observe.read(key).catch(notFoundAsUndefined),
    observe.versions(key).catch(notFoundAsUndefined),
    observe.readRotationPolicy(key).catch(notFoundAsUndefined),
  ]);
  if (!newest || !versions) return undefined;
  const materials = new Map([[newest.version, newest.publicFingerprint]]);
  const before = takenOn === undefined ? undefined : newestBefore(versions, takenOn);
  if (before !== undefined && before !== newest.version) {
    materials.set(before, (await observe.read(key, before).catch(notFoundAsUndefined))?.publicFingerprint);
  }
  const { keyType, keySize, curve, keyOps, exportable, tags } = newest;
  return {
    name,
    keyType,
    keyOps,
    exportable,
    tags,
    ...(keySize === undefined ? {} : { keySize }),
    ...(curve === undefined ? {} : { curve }),
    ...(rotationPolicy ? { rotationPolicy } : {}),
    versions: versions.map(({ version, enabled, createdOn, expiresOn }) => {
      const publicFingerprint = materials.get(version);
      return {
        version,
        enabled,
        createdOn,
        ...(expiresOn === undefined ? {} : { expiresOn }),
        ...(publicFingerprint === undefined ? {} : { publicFingerprint }),
      };
    }),
  };
}

/** The version that a backup of that instant holds as the newest one. */
const newestBefore = (versions: readonly KeyVersionSummary[], takenOn: string): string | undefined =>
  versions
    .filter(({ createdOn }) => Date.parse(createdOn) < Date.parse(takenOn))
    .sort((a, b) => Date.parse(a.createdOn) - Date.parse(b.createdOn))
    .at(-1)?.version;

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
