import { canonicalJson } from '../journal/canonical.ts';
import type { HsmRotationPolicy, KeyOperation, KeyType, Tags } from '../keys/key.ts';

/** Hex SHA-256 of a text in UTF-8; given by the caller, because pure code has no crypto. */
export type Sha256 = (text: string) => string;

/** What an HSM holds, as far as it can be read: the part that a backup should bring back. */
export interface HsmInventory {
  keys: ManifestKey[];
  roleDefinitions: ManifestRoleDefinition[];
  roleAssignments: ManifestRoleAssignment[];
}

/** What one full backup holds, written beside its copy and hashed; it carries no key material. */
export interface BackupManifest extends HsmInventory {
  version: 1;
  hsm: string;
  /** Resource id of the HSM. */
  resourceId: string;
  region: string;
  /** Lineage of the security domain that the backup is sealed under. */
  securityDomain: string;
  folder: string;
  jobId: string;
  /** ISO instants between which the service took the state of the HSM. */
  takenOn: string;
  completedOn: string;
  /** Every blob of the folder. */
  blobs: ManifestBlob[];
  /** What the backup cannot bring back. */
  notCovered: { name: string; reason: 'ExternallyHeld' }[];
}

export interface ManifestKey {
  name: string;
  keyType: KeyType;
  /** Bits; RSA and oct keys. */
  keySize?: number;
  curve?: string;
  keyOps: KeyOperation[];
  exportable: boolean;
  tags: Tags;
  rotationPolicy?: HsmRotationPolicy;
  versions: ManifestVersion[];
}

export interface ManifestVersion {
  version: string;
  enabled: boolean;
  createdOn: string;
  expiresOn?: string;
  notBefore?: string;
  /** SHA-256 of the public members of the JWK, hex; absent for oct keys. */
  publicFingerprint?: string;
  /** Made while the service took the backup: it may or may not be in it. */
  uncertain?: true;
}

export interface ManifestRoleDefinition {
  /** GUID; roles are compared by it, never by name. */
  id: string;
  name: string;
  custom: boolean;
  dataActions: string[];
}

export interface ManifestRoleAssignment {
  /** Name (GUID) of the assignment. */
  id: string;
  principalId: string;
  roleDefinitionId: string;
  /** `/`, `/keys` or `/keys/{name}`. */
  scope: string;
}

export interface ManifestBlob {
  /** Path within the folder. */
  name: string;
  size: number;
  /** Hex. */
  sha256: string;
}

export type ManifestSource = Omit<BackupManifest, 'version' | 'notCovered'> & {
  /** Names of keys that an external key manager holds. */
  externalKeys: string[];
};

/**
 * The manifest of a backup, in its one order. The inventory may be read after the job: versions made since are left out, those
 * made during it are marked, and externally held keys are named as not covered.
 */
export function buildManifest({ externalKeys, ...source }: ManifestSource): BackupManifest {
  const external = new Set(externalKeys.map((name) => name.toLowerCase()));
  return inOrder({
    ...source,
    version: 1,
    keys: source.keys
      .filter(({ name }) => !external.has(name.toLowerCase()))
      .map((key) => ({ ...key, versions: key.versions.flatMap((version) => asTaken(version, source)) }))
      .filter(({ versions }) => versions.length > 0),
    notCovered: [...new Set(externalKeys)].map((name) => ({ name, reason: 'ExternallyHeld' })),
  });
}

function asTaken(version: ManifestVersion, job: { takenOn: string; completedOn: string }): ManifestVersion[] {
  const made = Date.parse(version.createdOn);
  // The service tells creation in whole seconds.
  if (made > Date.parse(job.completedOn)) return [];
  return [made >= Date.parse(job.takenOn) ? { ...version, uncertain: true } : version];
}

/** The one text of a manifest, and its hash: two writers that hold the same facts write the same bytes. */
export function sealManifest(manifest: BackupManifest, sha256: Sha256): { text: string; sha256: string } {
  const text = canonicalJson(inOrder(manifest));
  return { text, sha256: sha256(text) };
}

export type ReadManifest =
  | { kind: 'manifest'; manifest: BackupManifest }
  | { kind: 'unusable'; reason: 'HashMismatch' | 'NotAManifest' | 'UnknownVersion'; explanation: string };

/** A stored manifest, if it is the one that was sealed. Never throws, whatever the text holds. */
export function readManifest(text: string, expectedSha256: string, sha256: Sha256): ReadManifest {
  const unusable = (reason: Extract<ReadManifest, { kind: 'unusable' }>['reason'], explanation: string) =>
    ({ kind: 'unusable', reason, explanation }) as const;
  const found = sha256(text);
  if (found !== expectedSha256.toLowerCase()) {
    const explanation = `The manifest has the hash ${found}, and the catalogue knows it by ${expectedSha256}: it was changed.`;
    return unusable('HashMismatch', explanation);
  }
  const value = parsed(text);
  if (!isObject(value)) return unusable('NotAManifest', 'The manifest is no JSON object.');
  if (value.version !== 1) {
    return unusable(
      'UnknownVersion',
      `The manifest has version ${String(value.version)}, and 1 is the only one known.`,
    );
  }
  const missing = firstMisshapen(value);
  return missing === undefined
    ? { kind: 'manifest', manifest: value as unknown as BackupManifest }
    : unusable('NotAManifest', `The manifest has no usable ${missing}.`);
}

const countVersions = (keys: readonly ManifestKey[]): number =>
  keys.reduce((sum, { versions }) => sum + versions.length, 0);

/** The figures that the catalogue shows. */
export const manifestFigures = ({ keys, blobs, notCovered }: BackupManifest) => ({
  keys: keys.length,
  versions: countVersions(keys),
  blobs: blobs.length,
  bytes: blobs.reduce((sum, { size }) => sum + size, 0),
  notCovered: notCovered.map(({ name }) => name),
});

function inOrder(manifest: BackupManifest): BackupManifest {
  return {
    ...manifest,
    keys: sorted(manifest.keys, ({ name }) => name).map((key) => ({
      ...key,
      keyOps: [...key.keyOps].sort(),
      versions: sorted(key.versions, ({ createdOn, version }) => `${createdOn} ${version}`),
    })),
    roleDefinitions: sorted(manifest.roleDefinitions, ({ id }) => id).map((role) => ({
      ...role,
      dataActions: [...role.dataActions].sort(),
    })),
    roleAssignments: sorted(manifest.roleAssignments, ({ scope, id }) => `${scope} ${id}`),
    blobs: sorted(manifest.blobs, ({ name }) => name),
    notCovered: sorted(manifest.notCovered, ({ name }) => name),
  };
}

/** By code unit, as everywhere that bytes must not depend on a locale. */
function sorted<T>(items: readonly T[], by: (item: T) => string): T[] {
  return [...items].sort((a, b) => (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : 0));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const TEXTS = ['hsm', 'resourceId', 'region', 'securityDomain', 'folder', 'jobId', 'takenOn', 'completedOn'];

/** The hash vouches for what we wrote; this only keeps a text of somebody else's from being read as ours. */
function firstMisshapen(value: Record<string, unknown>): string | undefined {
  const listOf = (field: string, ...texts: string[]) => {
    const items = value[field];
    return Array.isArray(items) && items.every((item) => isObject(item) && texts.every((each) => isText(item[each])));
  };
  const isText = (member: unknown) => typeof member === 'string';
  const text = TEXTS.find((field) => !isText(value[field]));
  if (text !== undefined) return text;
  if (!listOf('keys', 'name', 'keyType')) return 'keys';
  const keys = value.keys as Record<string, unknown>[];
  if (!keys.every(({ versions, tags }) => Array.isArray(versions) && versions.every(isObject) && isObject(tags))) {
    return 'keys';
  }
  if (!listOf('roleDefinitions', 'id')) return 'roleDefinitions';
  if (!listOf('roleAssignments', 'id', 'principalId', 'roleDefinitionId', 'scope')) return 'roleAssignments';
  if (!listOf('blobs', 'name', 'sha256')) return 'blobs';
  return listOf('notCovered', 'name') ? undefined : 'notCovered';
}
