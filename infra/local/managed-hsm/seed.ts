import { parseTags, type RotationPolicyBody } from './bodies.ts';
import type { KeyStore } from './keys.ts';
import { newVersionId } from './keys.ts';
import {
  type Curve,
  generateMaterial,
  type KeyType,
  type Material,
  type MaterialSpec,
  materialSpec,
} from './material.ts';
import { type Key, type KeyVersion, unixSeconds } from './model.ts';
import type { Readings } from './readings.ts';
import { parseRotationPolicy } from './rotation-policy.ts';
import { checkKeyOps, checkName } from './validation.ts';

/** A key put into an HSM without the API: no rights, no throttling, no audit row, and times in the past. */
export interface KeySeed {
  name: string;
  /** Default `RSA-HSM`. */
  kty?: KeyType;
  /** RSA modulus or AES key length in bits. */
  size?: number;
  crv?: Curve;
  keyOps?: string[];
  tags?: Record<string, string>;
  /** Of the newest version; `created` also dates the older ones back from there. Default of `created`: now. */
  attributes?: { enabled?: boolean; exp?: Date; nbf?: Date; created?: Date };
  /** How many versions the key has in all; default 1. Older versions are enabled and do not expire. */
  versions?: number;
  /** Days between the creation of one version and the next; default 28. */
  versionIntervalDays?: number;
  imported?: boolean;
  rotationPolicy?: RotationPolicyBody;
  /**
   * Takes material from a small pool of this HSM instead of generating it: 5,000 keys then seed in a second, and keys
   * share private keys. Their behaviour is real; only their independence is not.
   */
  pooledMaterial?: boolean;
}

const POOL_SIZE = 2;
const DAY = 86_400;

export function createSeeder(options: { keys: KeyStore; readings: Readings; now(): number }) {
  const pool = new Map<string, Promise<Material[]>>();

  const pooled = async (spec: MaterialSpec, turn: number): Promise<Material> => {
    const id = JSON.stringify(spec);
    const made = pool.get(id) ?? Promise.all(Array.from({ length: POOL_SIZE }, () => generateMaterial(spec)));
    pool.set(id, made);
    const materials = await made;
    return materials[turn % materials.length] as Material;
  };

  let turn = 0;
  return async (seed: KeySeed): Promise<Key> => {
    const { attributes = {}, versions = 1, versionIntervalDays = 28 } = seed;
    const kty = seed.kty ?? 'RSA-HSM';
    const spec = materialSpec(kty, seed.size, seed.crv);
    const keyOps = checkKeyOps(kty, seed.keyOps);
    const tags = parseTags(seed.tags);
    const created = attributes.created ? unixSeconds(attributes.created) : options.now();
    const policy = seed.rotationPolicy && parseRotationPolicy(seed.rotationPolicy, options.readings);

    const makeVersion = async (age: number): Promise<KeyVersion> => {
      const material = seed.pooledMaterial ? await pooled(spec, turn++) : await generateMaterial(spec);
      const at = created - age * versionIntervalDays * DAY;
      return {
        version: newVersionId(),
        material,
        keyOps: [...keyOps],
        enabled: true,
        exportable: false,
        created: at,
        updated: at,
        ...(tags ? { tags: { ...tags } } : {}),
        ...(seed.imported ? { imported: true } : {}),
      };
    };
    const made: KeyVersion[] = [];
    for (let age = versions - 1; age >= 0; age--) made.push(await makeVersion(age));
    const last = made.at(-1);
    if (!last) throw new Error('A seeded key needs at least one version.');
    last.enabled = attributes.enabled ?? true;
    if (attributes.exp) last.exp = unixSeconds(attributes.exp);
    if (attributes.nbf) last.nbf = unixSeconds(attributes.nbf);
    const key: Key = {
      name: checkName(seed.name),
      versions: made,
      ...(policy ? { rotationPolicy: { ...policy, created, updated: created } } : {}),
    };
    options.keys.insert(key);
    return key;
  };
}
