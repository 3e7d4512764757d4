import { BACKUP_STATES, type BackupRecord } from '../../../shared/backup/backup.ts';
import type { BackupManifest, ManifestKey, ManifestVersion } from '../../../shared/backup/manifest.ts';
import { type BackupRule, BUILT_IN_HSM_RULE } from '../../../shared/policy/hsm-rule.ts';
import { toIso } from '../../../shared/time.ts';

export const NOW = new Date('2030-01-15T12:00:00Z');
export const DAY = 86_400_000;

/** So many days before NOW. */
export const daysAgo = (days: number): string => toIso(new Date(NOW.getTime() - Math.round(days * DAY)));

export const aBackupRule = (changes: Partial<BackupRule> = {}): BackupRule => ({
  ...BUILT_IN_HSM_RULE.backup,
  ...changes,
});

/** A locked backup, taken when told. */
export function aRecord(takenOn: string, changes: Partial<BackupRecord> = {}): BackupRecord {
  const folder = `mhsm-contoso-${takenOn.replace(/\D/g, '').slice(0, 14)}`;
  const state = changes.state ?? 'locked';
  const reached = BACKUP_STATES.slice(0, BACKUP_STATES.indexOf(state) + 1).map((each) => [each, takenOn]);
  return {
    id: folder,
    hsm: 'contoso',
    resourceId: '/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/managedHSMs/contoso',
    securityDomain: 'sd-1',
    purpose: 'scheduled',
    takenOn,
    jobId: 'a'.repeat(32),
    state,
    reachedOn: Object.fromEntries(reached),
    landing: { container: 'https://landing.example/hsm', folder, region: 'westeurope' },
    keys: 2,
    versions: 3,
    blobs: 2,
    bytes: 100,
    notCovered: [],
    ...changes,
  };
}

export const aVersion = (digit: string, changes: Partial<ManifestVersion> = {}): ManifestVersion => ({
  version: digit.repeat(32),
  enabled: true,
  createdOn: '2029-06-01T00:00:00Z',
  expiresOn: '2030-06-01T00:00:00Z',
  publicFingerprint: digit.repeat(64),
  ...changes,
});

export const aManifestKey = (name: string, changes: Partial<ManifestKey> = {}): ManifestKey => ({
  name,
  keyType: 'RSA-HSM',
  keySize: 3072,
  keyOps: ['unwrapKey', 'wrapKey'],
  exportable: false,
  tags: { owner: 'Payments' },
  rotationPolicy: { expiryTime: 'P1Y' },
  versions: [aVersion('a')],
  ...changes,
});

export const aManifest = (changes: Partial<BackupManifest> = {}): BackupManifest => ({
  version: 1,
  hsm: 'contoso',
  resourceId: '/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/managedHSMs/contoso',
  region: 'westeurope',
  securityDomain: 'sd-1',
  folder: 'mhsm-contoso-20300115020000',
  jobId: 'b'.repeat(32),
  takenOn: '2030-01-15T02:00:00Z',
  completedOn: '2030-01-15T02:03:00Z',
  keys: [aManifestKey('payments-kek'), aManifestKey('storage-cmk')],
  roleDefinitions: [{ id: 'r-1', name: 'Managed HSM Crypto User', custom: false, dataActions: ['keys/read/action'] }],
  roleAssignments: [{ id: 'as-1', principalId: 'p-1', roleDefinitionId: 'r-1', scope: '/keys' }],
  blobs: [
    { name: 'keys.bin', size: 60, sha256: '1'.repeat(64) },
    { name: 'roles.bin', size: 40, sha256: '2'.repeat(64) },
  ],
  notCovered: [],
  ...changes,
});
