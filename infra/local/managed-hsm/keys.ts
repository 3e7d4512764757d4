import { randomBytes } from 'node:crypto';
import type { CreateBody, ImportBody, RotationPolicyBody, UpdateBody } from './bodies.ts';
import { badParameter, conflict, fromReading, HsmError } from './errors.ts';
import { MAX_KEYS, MAX_VERSIONS } from './limits.ts';
import {
  generateMaterial,
  importMaterial,
  type KeyType,
  keyType,
  type Material,
  materialSpec,
  specOf,
} from './material.ts';
import { type DeletedKey, type Found, type Key, type KeyVersion, newest } from './model.ts';
import type { Readings } from './readings.ts';
import { addDuration, parseRotationPolicy, type RotationPolicy } from './rotation-policy.ts';
import { checkKeyOps, checkName, checkReleasePolicy } from './validation.ts';
import { deletedKeyUrl, keyUrl, type Vault } from './wire.ts';

const DAY = 86_400;

/** Every key of one HSM and the rules of its life. Methods throw HsmError as the service answers. */
export interface KeyStore {
  create(name: string, body: CreateBody): Promise<Found>;
  importKey(name: string, body: ImportBody): Found;
  rotate(name: string): Promise<Found>;
  update(name: string, version: string | undefined, body: UpdateBody): Found;
  get(name: string, version?: string): Found;
  find(name: string): Key | undefined;
  /** Sorted by name. */
  list(): readonly Key[];
  versions(name: string): KeyVersion[];
  rotationPolicy(name: string): RotationPolicy | undefined;
  setRotationPolicy(name: string, body: RotationPolicyBody): RotationPolicy | undefined;
  remove(name: string): DeletedKey;
  getDeleted(name: string): DeletedKey;
  listDeleted(): readonly DeletedKey[];
  recover(name: string): Key;
  purge(name: string): void;
  /** Adds a whole key from outside: a seed, a key backup, a full backup. Refuses a name that is active or soft-deleted. */
  insert(key: Key): void;
  insertDeleted(key: DeletedKey): void;
  clear(): void;
}

export function createKeyStore(options: {
  vault: Vault;
  readings: Readings;
  /** Unix seconds. */
  now(): number;
  /** Told after every change to an active key, with undefined when it is gone. */
  onChange(name: string, key: Key | undefined): void;
  /** Told when a key was soft-deleted, and with undefined when that ended. */
  onDeletedChange(name: string, key: DeletedKey | undefined): void;
}): KeyStore {
  const { vault, readings, now } = options;
  const active = new Map<string, Key>();
  const deleted = new Map<string, DeletedKey>();
  const sortedActive = sortedView(active);
  const sortedDeleted = sortedView(deleted);

  const notFound = (what: string) => new HsmError(404, readings.missingKeyCode, `Key not found: ${what}`);
  const demand = (name: string): Key => {
    const key = active.get(name);
    if (!key) throw notFound(keyUrl(vault, name));
    return key;
  };
  const findDeleted = (name: string): DeletedKey => {
    const key = deleted.get(name);
    if (!key) throw notFound(deletedKeyUrl(vault, name));
    return key;
  };
  const put = (key: Key) => {
    if (!active.has(key.name)) sortedActive.stale();
    active.set(key.name, key);
    options.onChange(key.name, key);
  };
  const drop = (name: string) => {
    active.delete(name);
    sortedActive.stale();
    options.onChange(name, undefined);
  };
  const putDeleted = (key: DeletedKey) => {
    deleted.set(key.name, key);
    sortedDeleted.stale();
    options.onDeletedChange(key.name, key);
  };
  const dropDeleted = (name: string) => {
    deleted.delete(name);
    sortedDeleted.stale();
    options.onDeletedChange(name, undefined);
  };
  /** Source: managed-hsm/recovery: a name is blocked while a soft-deleted key has it. Text of a vault. */
  const checkNameFree = (name: string) => {
    if (!deleted.has(name)) return;
    throw conflict(
      `Key ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the key can only be recovered or purged.`,
      'ObjectIsDeletedButRecoverable',
    );
  };
  const checkRoom = (name: string) => {
    checkNameFree(name);
    const key = active.get(name);
    if (key && key.versions.length >= MAX_VERSIONS) throw fromReading(readings.versionLimit);
    if (!key && active.size >= MAX_KEYS) throw fromReading(readings.keyLimit);
  };
  /** Checked again, because generating takes time in which others may have acted. */
  const append = (name: string, version: KeyVersion): Found => {
    checkRoom(name);
    const key = active.get(name) ?? { name, versions: [] };
    key.versions.push(version);
    put(key);
    return { key, version };
  };
  const made = (draft: VersionDraft, material: Material): KeyVersion => ({
    ...draft,
    version: newVersionId(),
    material,
    created: now(),
    updated: now(),
  });
  const get = (name: string, version?: string) => {
    const key = demand(name);
    if (version === undefined) return { key, version: newest(key) };
    const named = key.versions.find((candidate) => candidate.version === version.toLowerCase());
    if (!named) throw notFound(keyUrl(vault, name, version));
    return { key, version: named };
  };

  return {
    async create(name, body) {
      checkRoom(checkName(name));
      const kty = keyType(body.kty);
      const exponent = body.public_exponent ?? 65537;
      if (exponent !== 65537) throw badParameter('public_exponent must be 65537.');
      const spec = materialSpec(kty, body.key_size, body.crv);
      const draft = draftVersion(kty, body, body.key_ops);
      const material = await generateMaterial(spec);
      return append(name, made(draft, material));
    },

    importKey(name, body) {
      checkRoom(checkName(name));
      const material = importMaterial(body.key);
      return append(name, { ...made(draftVersion(material.kty, body, body.key.key_ops), material), imported: true });
    },

    async rotate(name) {
      const key = active.get(name);
      // Recorded: the text names the fault twice here (TestRotateKey/MHSM).
      if (!key) throw notFound(`Key not found: ${keyUrl(vault, name)}`);
      const { rotateDisabledKey, rotateWithoutPolicy } = readings;
      if (!newest(key).enabled && rotateDisabledKey !== 'allow') throw fromReading(rotateDisabledKey);
      if (!key.rotationPolicy && rotateWithoutPolicy !== 'allow') throw fromReading(rotateWithoutPolicy);
      checkRoom(name);
      const material = await generateMaterial(specOf(newest(key).material));
      return append(name, successor(newest(demand(name)), material, key.rotationPolicy, readings, now()));
    },

    update(name, version, body) {
      const found = get(name, version);
      const { material, exportable } = found.version;
      const { exportable: _decidedAtCreation, ...changes } = body.attributes ?? {};
      const keyOps = body.key_ops && checkKeyOps(material.kty, body.key_ops);
      const releasePolicy = body.release_policy && checkReleasePolicy(body.release_policy, exportable);
      if (releasePolicy && found.version.releasePolicy?.immutable)
        throw badParameter('The release policy is immutable.');
      Object.assign(found.version, changes, { updated: now() });
      if (body.tags) found.version.tags = body.tags;
      if (keyOps) found.version.keyOps = keyOps;
      if (releasePolicy) found.version.releasePolicy = releasePolicy;
      put(found.key);
      return found;
    },

    get,
    find: (name) => active.get(name),
    list: sortedActive.read,
    listDeleted: sortedDeleted.read,
    versions: (name) => [...demand(name).versions],
    rotationPolicy: (name) => demand(name).rotationPolicy,

    setRotationPolicy(name, body) {
      const key = demand(name);
      const parsed = parseRotationPolicy(body, readings);
      if (parsed) key.rotationPolicy = { ...parsed, created: key.rotationPolicy?.created ?? now(), updated: now() };
      else delete key.rotationPolicy;
      put(key);
      return key.rotationPolicy;
    },

    remove(name) {
      const key = demand(name);
      const gone = { ...key, deletedDate: now(), scheduledPurgeDate: now() + vault.retentionDays * DAY };
      drop(name);
      putDeleted(gone);
      return gone;
    },

    getDeleted: findDeleted,

    recover(name) {
      const { deletedDate: _deletedDate, scheduledPurgeDate: _scheduledPurgeDate, ...key } = findDeleted(name);
      dropDeleted(name);
      put(key);
      return key;
    },

    purge(name) {
      const { scheduledPurgeDate } = findDeleted(name);
      if (vault.purgeProtection && now() < scheduledPurgeDate) throw fromReading(readings.purgeProtected);
      dropDeleted(name);
    },

    insert(key) {
      checkNameFree(key.name);
      if (active.has(key.name)) throw conflict(`Key ${key.name} already exists.`);
      if (active.size >= MAX_KEYS) throw fromReading(readings.keyLimit);
      put(key);
    },

    insertDeleted: putDeleted,

    clear() {
      for (const name of [...active.keys()]) drop(name);
      for (const name of [...deleted.keys()]) dropDeleted(name);
    },
  };
}

type VersionDraft = Omit<KeyVersion, 'version' | 'material' | 'created' | 'updated'>;

export const newVersionId = (): string => randomBytes(16).toString('hex');

/** Everything that a create or import body says about a version, checked before any material is made. */
function draftVersion(kty: KeyType, body: UpdateBody, keyOps: string[] | undefined): VersionDraft {
  const { enabled = true, exportable = false, ...window } = body.attributes ?? {};
  const releasePolicy = checkReleasePolicy(body.release_policy, exportable);
  return {
    keyOps: checkKeyOps(kty, keyOps),
    enabled,
    exportable,
    ...window,
    ...(body.tags ? { tags: body.tags } : {}),
    ...(releasePolicy ? { releasePolicy } : {}),
  };
}

/** The version that a rotation makes: new material of the same kind, expiring as the policy says. */
function successor(
  previous: KeyVersion,
  material: Material,
  policy: RotationPolicy | undefined,
  readings: Readings,
  now: number,
): KeyVersion {
  const keepsPolicy = readings.rotateInheritsReleasePolicy && previous.releasePolicy !== undefined;
  return {
    version: newVersionId(),
    material,
    keyOps: readings.rotateInheritsKeyOps ? [...previous.keyOps] : checkKeyOps(material.kty, undefined),
    enabled: true,
    exportable: keepsPolicy && previous.exportable,
    // Recorded: exp = created + expiryTime (TestRotateKey/MHSM).
    ...(policy?.expiryTime === undefined ? {} : { exp: addDuration(now, policy.expiryTime) }),
    created: now,
    updated: now,
    ...(readings.rotateInheritsTags && previous.tags ? { tags: { ...previous.tags } } : {}),
    ...(keepsPolicy && previous.releasePolicy ? { releasePolicy: previous.releasePolicy } : {}),
  };
}

/** The values by name, sorted anew only after names came or went: a list of 5,000 keys is read in 200 pages. */
function sortedView<T extends { name: string }>(source: Map<string, T>) {
  let view: T[] | undefined;
  return {
    read: (): readonly T[] => {
      view ??= [...source.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
      return view;
    },
    stale: () => {
      view = undefined;
    },
  };
}
