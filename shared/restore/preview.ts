import type { BackupManifest, HsmInventory, ManifestKey, ManifestRoleAssignment } from '../backup/manifest.ts';

/** One key that a restore would change without removing it. */
export interface RolledBackKey {
  name: string;
  /** Versions made since the backup: lost, with everything that only they can open. */
  versionsLost: string[];
  /** `tags`, `enabled of version …`, `expiresOn of version …`, `rotationPolicy`. */
  changes: string[];
}

/** What a full restore would do to the target: it wipes the HSM and puts back the state of the backup. */
export interface RestorePreview {
  folder: string;
  takenOn: string;
  /** Made after the backup: gone, with all their versions. */
  removed: { name: string; versions: number }[];
  rolledBack: RolledBackKey[];
  /** In the backup and not on the HSM: they come back, also those that were deleted on purpose. */
  recreated: string[];
  /** Not in the backup, because an external key manager holds them; a restore can leave the HSM degraded. */
  externalKeys: string[];
  assignmentsRemoved: ManifestRoleAssignment[];
  assignmentsReturning: ManifestRoleAssignment[];
  counts: {
    keysKept: number;
    keysRemoved: number;
    keysRolledBack: number;
    keysRecreated: number;
    versionsLost: number;
    assignmentsRemoved: number;
    assignmentsReturning: number;
  };
  /** For a person who decides; the gravest first. */
  summary: string[];
}

/**
 * Compares a backup with what the target holds now. `externalKeys` are those found on the target; what cannot be read (an
 * external key whose existence nobody reported) is for the guard to ask about.
 */
export function previewRestore(
  manifest: BackupManifest,
  current: HsmInventory,
  externalKeys: string[],
): RestorePreview {
  const inBackup = new Map(manifest.keys.map((key) => [key.name.toLowerCase(), key]));
  const onHsm = new Map(current.keys.map((key) => [key.name.toLowerCase(), key]));
  const removed = current.keys
    .filter(({ name }) => !inBackup.has(name.toLowerCase()))
    .map(({ name, versions }) => ({ name, versions: versions.length }));
  const both = current.keys.flatMap((now) => {
    const then = inBackup.get(now.name.toLowerCase());
    return then === undefined ? [] : [rollBack(then, now)];
  });
  const rolledBack = both.filter(({ versionsLost, changes }) => versionsLost.length + changes.length > 0);
  const recreated = manifest.keys.filter(({ name }) => !onHsm.has(name.toLowerCase())).map(({ name }) => name);
  const assignmentsRemoved = missingFrom(manifest.roleAssignments, current.roleAssignments);
  const assignmentsReturning = missingFrom(current.roleAssignments, manifest.roleAssignments);
  const versionsLost =
    removed.reduce((sum, { versions }) => sum + versions, 0) +
    rolledBack.reduce((sum, key) => sum + key.versionsLost.length, 0);
  const preview = {
    folder: manifest.folder,
    takenOn: manifest.takenOn,
    removed,
    rolledBack,
    recreated,
    externalKeys: [...new Set([...externalKeys, ...manifest.notCovered.map(({ name }) => name)])].sort(),
    assignmentsRemoved,
    assignmentsReturning,
    counts: {
      keysKept: both.length - rolledBack.length,
      keysRemoved: removed.length,
      keysRolledBack: rolledBack.length,
      keysRecreated: recreated.length,
      versionsLost,
      assignmentsRemoved: assignmentsRemoved.length,
      assignmentsReturning: assignmentsReturning.length,
    },
  };
  return { ...preview, summary: summarise(preview) };
}

function rollBack(then: ManifestKey, now: ManifestKey): RolledBackKey {
  const before = new Map(then.versions.map((version) => [version.version, version]));
  const changes = [
    ...(sameMembers(then.tags, now.tags) ? [] : ['tags']),
    ...(sameMembers(then.rotationPolicy ?? {}, now.rotationPolicy ?? {}) ? [] : ['rotationPolicy']),
    ...now.versions.flatMap((version) => {
      const earlier = before.get(version.version);
      if (earlier === undefined) return [];
      const fields = (['enabled', 'expiresOn', 'notBefore'] as const).filter((each) => earlier[each] !== version[each]);
      return fields.map((field) => `${field} of version ${version.version}`);
    }),
  ];
  const versionsLost = now.versions.filter(({ version }) => !before.has(version)).map(({ version }) => version);
  return { name: now.name, versionsLost, changes };
}

/** Assignments of `list` that `reference` does not hold: by principal, role and scope, because ids may be given anew. */
function missingFrom(
  reference: readonly ManifestRoleAssignment[],
  list: readonly ManifestRoleAssignment[],
): ManifestRoleAssignment[] {
  const known = new Set(reference.map(assignmentKey));
  return list.filter((assignment) => !known.has(assignmentKey(assignment)));
}

/** What an assignment grants, whatever its id. */
export const assignmentKey = ({ principalId, roleDefinitionId, scope }: ManifestRoleAssignment): string =>
  `${principalId} ${roleDefinitionId} ${scope}`.toLowerCase();

export const sameMembers = (a: object, b: object): boolean => {
  const [left, right] = [Object.entries(a), new Map<string, unknown>(Object.entries(b))];
  return left.length === right.size && left.every(([name, value]) => right.has(name) && right.get(name) === value);
};

function summarise({ counts, externalKeys, takenOn }: Omit<RestorePreview, 'summary'>): string[] {
  const line = (count: number, one: string, many: string) =>
    count === 0 ? [] : [count === 1 ? one : `${count} ${many}`];
  const lines = [
    ...line(counts.keysRemoved, 'One key made since the backup is removed.', 'keys made since the backup are removed.'),
    ...line(
      counts.versionsLost,
      'One key version is lost, and whatever only it can open.',
      'key versions are lost, and whatever only they can open.',
    ),
    ...line(counts.keysRolledBack, 'One key is rolled back.', 'keys are rolled back.'),
    ...line(
      counts.keysRecreated,
      'One key that is not there now comes back.',
      'keys that are not there now come back.',
    ),
    ...line(counts.assignmentsRemoved, 'One role assignment is removed.', 'role assignments are removed.'),
    ...line(
      counts.assignmentsReturning,
      'One role assignment that is not there now comes back.',
      'role assignments that are not there now come back.',
    ),
    ...line(
      externalKeys.length,
      'One externally held key is not covered, and the restore can leave the HSM degraded.',
      'externally held keys are not covered, and the restore can leave the HSM degraded.',
    ),
  ];
  const nothing = `The HSM holds what the backup of ${takenOn} holds; a restore changes nothing that can be read.`;
  return lines.length === 0 ? [nothing] : lines;
}
