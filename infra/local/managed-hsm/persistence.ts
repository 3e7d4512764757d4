import type { JsonWebKey } from 'node:crypto';
import { fromJwk, type KeyType, type Material } from './material.ts';
import type { DeletedKey, Key, KeyVersion } from './model.ts';

type SavedVersion = Omit<KeyVersion, 'material'> & { material: string };
type Saved<T extends Key> = Omit<T, 'versions'> & { versions: SavedVersion[] };

/** Keys as JSON, private members included. Shared material is written once and shared again when read. */
export interface SavedKeys {
  materials: Record<string, { kty: KeyType; jwk: JsonWebKey }>;
  keys: Saved<Key>[];
  deletedKeys: Saved<DeletedKey>[];
}

export function saveKeys(keys: readonly Key[], deletedKeys: readonly DeletedKey[]): SavedKeys {
  const materials: SavedKeys['materials'] = {};
  const saved = <T extends Key>(key: T): Saved<T> => ({
    ...key,
    versions: key.versions.map((version) => {
      const { id, kty, jwk } = version.material;
      materials[id] = { kty, jwk };
      return { ...version, material: id };
    }),
  });
  return structuredClone({ keys: keys.map(saved), deletedKeys: deletedKeys.map(saved), materials });
}

export function loadKeys(saved: SavedKeys): { keys: Key[]; deletedKeys: DeletedKey[] } {
  const materials = new Map<string, Material>(
    Object.entries(saved.materials).map(([id, { kty, jwk }]) => [id, fromJwk(kty, jwk, id)]),
  );
  const loaded = <T extends Key>(key: Saved<T>): T =>
    ({
      ...structuredClone(key),
      versions: key.versions.map((version) => {
        const material = materials.get(version.material);
        if (!material) throw new Error(`Saved key ${key.name} refers to material that was not saved.`);
        return { ...structuredClone(version), material };
      }),
    }) as unknown as T;
  return {
    keys: saved.keys.map((key) => loaded<Key>(key)),
    deletedKeys: saved.deletedKeys.map((key) => loaded<DeletedKey>(key)),
  };
}
