import type {
  BackupManifest,
  HsmInventory,
  ManifestKey,
  ManifestRoleAssignment,
  ManifestVersion,
} from '../backup/manifest.ts';
import { assignmentKey } from './preview.ts';

/**
 * `critical`: something that consumers or people rely on is not as it was. `warning`: it differs, and somebody should know.
 * `note`: the documentation does not say that a backup holds it, so a difference is no fault of the restore.
 */
export type DifferenceSeverity = 'critical' | 'warning' | 'note';

export type DifferenceKind =
  | 'KeyMissing'
  | 'KeyExtra'
  | 'VersionMissing'
  | 'VersionExtra'
  | 'MaterialDiffers'
  | 'AttributeDiffers'
  | 'TagDiffers'
  | 'AssignmentMissing'
  | 'AssignmentExtra'
  | 'RoleDefinitionDiffers'
  | 'RotationPolicyDiffers';

export interface RestoreDifference {
  kind: DifferenceKind;
  severity: DifferenceSeverity;
  /** `keys/{name}`, `keys/{name}/{version}`, `roleAssignments {scope}`. */
  subject: string;
  /** What of it differs, where it is one attribute. */
  attribute?: string;
  expected?: string;
  found?: string;
}

export interface RestoreComparison {
  kind: 'same' | 'different';
  /** The gravest first. */
  differences: RestoreDifference[];
  compared: { keys: number; versions: number; roleAssignments: number };
  critical: number;
  warnings: number;
  notes: number;
}

/**
 * Compares what an HSM holds after a restore with the manifest: key by key, version, attribute and tag, then who may do what.
 * `key` narrows it to one key after a selective restore. Versions that the manifest is not sure of count for neither side.
 */
export function compareWithManifest(
  manifest: BackupManifest,
  found: HsmInventory,
  options: { key?: string } = {},
): RestoreComparison {
  const wanted = options.key?.toLowerCase();
  const inScope = ({ name }: ManifestKey) => wanted === undefined || name.toLowerCase() === wanted;
  const expectedKeys = manifest.keys.filter(inScope);
  const foundKeys = new Map(found.keys.filter(inScope).map((key) => [key.name.toLowerCase(), key]));
  const known = new Set(expectedKeys.map(({ name }) => name.toLowerCase()));
  const differences = [
    ...expectedKeys.flatMap((key) => compareKey(key, foundKeys.get(key.name.toLowerCase()))),
    ...[...foundKeys.values()]
      .filter(({ name }) => !known.has(name.toLowerCase()))
      .map(({ name }) => difference('KeyExtra', 'warning', `keys/${name}`)),
    ...(wanted === undefined ? compareAccess(manifest, found) : []),
  ].sort((a, b) => RANK[a.severity] - RANK[b.severity]);
  const count = (severity: DifferenceSeverity) => differences.filter((each) => each.severity === severity).length;
  return {
    kind: differences.length === 0 ? 'same' : 'different',
    differences,
    compared: {
      keys: expectedKeys.length,
      versions: expectedKeys.reduce((sum, { versions }) => sum + versions.length, 0),
      roleAssignments: wanted === undefined ? manifest.roleAssignments.length : 0,
    },
    critical: count('critical'),
    warnings: count('warning'),
    notes: count('note'),
  };
}

const RANK: Record<DifferenceSeverity, number> = { critical: 0, warning: 1, note: 2 };

function difference(
  kind: DifferenceKind,
  severity: DifferenceSeverity,
  subject: string,
  what: { attribute?: string; expected?: unknown; found?: unknown } = {},
): RestoreDifference {
  return {
    kind,
    severity,
    subject,
    ...(what.attribute === undefined ? {} : { attribute: what.attribute }),
    ...(what.expected === undefined ? {} : { expected: String(what.expected) }),
    ...(what.found === undefined ? {} : { found: String(what.found) }),
  };
}

function compareKey(expected: ManifestKey, found: ManifestKey | undefined): RestoreDifference[] {
  const subject = `keys/${expected.name}`;
  if (found === undefined) return [difference('KeyMissing', 'critical', subject)];
  const attribute = (name: string, then: unknown, now: unknown, severity: DifferenceSeverity = 'critical') =>
    then === now
      ? []
      : [difference('AttributeDiffers', severity, subject, { attribute: name, expected: then, found: now })];
  return [
    ...attribute('keyType', expected.keyType, found.keyType),
    ...attribute('keySize', expected.keySize, found.keySize),
    ...attribute('curve', expected.curve, found.curve),
    ...attribute('keyOps', [...expected.keyOps].sort().join(' '), [...found.keyOps].sort().join(' ')),
    ...attribute('exportable', expected.exportable, found.exportable),
    ...compareTags(expected, found),
    ...comparePolicy(expected, found),
    ...compareVersions(expected, found),
  ];
}

/** Tags carry owners and rules of this product, and consumers read them too; none opens or closes a key. */
function compareTags(expected: ManifestKey, found: ManifestKey): RestoreDifference[] {
  const names = [...new Set([...Object.keys(expected.tags), ...Object.keys(found.tags)])].sort();
  const value = (tags: Record<string, string>, name: string) => (Object.hasOwn(tags, name) ? tags[name] : undefined);
  return names.flatMap((name) => {
    const [then, now] = [value(expected.tags, name), value(found.tags, name)];
    if (then === now) return [];
    return [
      difference('TagDiffers', 'warning', `keys/${expected.name}`, { attribute: name, expected: then, found: now }),
    ];
  });
}

function comparePolicy(expected: ManifestKey, found: ManifestKey): RestoreDifference[] {
  const fields = ['expiryTime', 'rotateAfterCreate', 'rotateBeforeExpiry'] as const;
  return fields.flatMap((field) => {
    const [then, now] = [expected.rotationPolicy?.[field], found.rotationPolicy?.[field]];
    if (then === now) return [];
    const what = { attribute: field, expected: then, found: now };
    return [difference('RotationPolicyDiffers', 'note', `keys/${expected.name}`, what)];
  });
}

function compareVersions(expected: ManifestKey, found: ManifestKey): RestoreDifference[] {
  const byVersion = new Map(found.versions.map((version) => [version.version, version]));
  const known = new Set(expected.versions.map(({ version }) => version));
  return [
    ...expected.versions.flatMap((version) =>
      compareVersion(`keys/${expected.name}/${version.version}`, version, byVersion.get(version.version)),
    ),
    ...found.versions
      .filter(({ version }) => !known.has(version))
      .map(({ version }) => difference('VersionExtra', 'warning', `keys/${expected.name}/${version}`)),
  ];
}

function compareVersion(
  subject: string,
  expected: ManifestVersion,
  found: ManifestVersion | undefined,
): RestoreDifference[] {
  if (found === undefined) return expected.uncertain ? [] : [difference('VersionMissing', 'critical', subject)];
  // Nothing is known of the material of an old version that no backup looked at.
  if (expected.publicFingerprint !== undefined && expected.publicFingerprint !== found.publicFingerprint) {
    const what = {
      attribute: 'publicFingerprint',
      expected: expected.publicFingerprint,
      found: found.publicFingerprint,
    };
    return [difference('MaterialDiffers', 'critical', subject, what)];
  }
  const fields = ['enabled', 'expiresOn', 'notBefore', 'createdOn'] as const;
  return fields.flatMap((field) => {
    if (expected[field] === found[field]) return [];
    const severity = field === 'createdOn' ? 'note' : 'critical';
    const what = { attribute: field, expected: expected[field], found: found[field] };
    return [difference('AttributeDiffers', severity, subject, what)];
  });
}

/** An assignment too many is as grave as one too few: somebody may do what nobody granted. */
function compareAccess(manifest: BackupManifest, found: HsmInventory): RestoreDifference[] {
  const subject = ({ scope }: ManifestRoleAssignment) => `roleAssignments ${scope}`;
  const told = ({ principalId, roleDefinitionId }: ManifestRoleAssignment) => `${roleDefinitionId} for ${principalId}`;
  const [then, now] = [byGrant(manifest.roleAssignments), byGrant(found.roleAssignments)];
  return [
    ...[...then]
      .filter(([grant]) => !now.has(grant))
      .map(([, each]) => difference('AssignmentMissing', 'critical', subject(each), { expected: told(each) })),
    ...[...now]
      .filter(([grant]) => !then.has(grant))
      .map(([, each]) => difference('AssignmentExtra', 'critical', subject(each), { found: told(each) })),
    ...compareRoles(manifest, found),
  ];
}

const byGrant = (assignments: readonly ManifestRoleAssignment[]) =>
  new Map(assignments.map((assignment) => [assignmentKey(assignment), assignment]));

function compareRoles(manifest: BackupManifest, found: HsmInventory): RestoreDifference[] {
  const now = new Map(found.roleDefinitions.map((role) => [role.id.toLowerCase(), role]));
  const actions = (role: { dataActions: string[] } | undefined) => role && [...role.dataActions].sort().join(' ');
  return manifest.roleDefinitions
    .filter(({ custom }) => custom)
    .flatMap((role) => {
      const [expected, got] = [actions(role), actions(now.get(role.id.toLowerCase()))];
      if (expected === got) return [];
      const subject = `roleDefinitions ${role.name}`;
      return [difference('RoleDefinitionDiffers', 'note', subject, { expected, found: got ?? 'none' })];
    });
}
