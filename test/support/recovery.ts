import type { RecoveryWorld } from '../../functions/world.ts';
import type { BackupJob } from '../../shared/backup/backup.ts';
import { AppError } from '../../shared/errors.ts';
import type { JobReading, JobStart } from '../../shared/ports/hsm-backups.ts';
import type { HsmEndpoint, NewHsmEndpoint } from '../../shared/ports/hsm-endpoints.ts';
import type { DeletedHsm, HsmResource, NewHsm } from '../../shared/ports/hsm-resources.ts';
import type { DomainProgress } from '../../shared/ports/security-domain.ts';
import type { FakeWorld } from './world.ts';

/** What Azure and a new HSM do in a recovery, in memory; a test sets what they answer next. */
export interface FakeRecovery extends RecoveryWorld {
  made: Map<string, HsmResource>;
  created: NewHsm[];
  uploaded: string[];
  sent: string[];
  progress: DomainProgress;
  onUpload: { lost?: boolean };
  starts: JobStart[];
  readings: JobReading[];
  removed: string[];
  /** Private endpoints by resource id, as a test leaves them; each is there and approved from its creation on. */
  subnet: boolean;
  endpointsMade: Map<string, HsmEndpoint & Partial<NewHsmEndpoint> & { zones: string[] }>;
  aResource(resourceId: string): HsmResource;
  /** Shows the HSM that is backed up, as a drill reads it. */
  putSource(resourceId: string): void;
  /** What a deletion comes to after a while. */
  softDelete(resourceId: string, purgedOn: string): void;
}

const job: BackupJob = { jobId: 'job-1', status: 'Succeeded', startedOn: '2030-01-01T00:00:00Z' } as BackupJob;
export const SUCCEEDED = { kind: 'succeeded', job } satisfies JobReading;
export const RUNNING: JobReading = { kind: 'running', job };

export function addFakeRecovery(world: FakeWorld): FakeRecovery {
  const started = (): JobStart => fake.starts.shift() ?? { kind: 'started', jobId: `job-${fake.sent.length}` };
  const deleted: DeletedHsm[] = [];
  const fake: FakeRecovery = {
    made: new Map(),
    created: [],
    uploaded: [],
    sent: [],
    progress: { kind: 'running' },
    onUpload: {},
    starts: [],
    readings: [],
    removed: [],
    endpointsMade: new Map(),
    subnet: true,
    endpoints: {
      subnetId: '/network/subnets/endpoints',
      region: 'westeurope',
      zoneId: '/zones/privatelink.managedhsm.azure.net',
      service: {
        hasSubnet: async () => fake.subnet,
        read: async (id) => fake.endpointsMade.get(id),
        async create(wish) {
          const state = { provisioningState: 'Succeeded', connection: 'Approved', zones: [] };
          fake.endpointsMade.set(wish.resourceId, { ...wish, ...state });
        },
        readZones: async (id) => fake.endpointsMade.get(id)?.zones ?? [],
        nameIn: async (id, zone) => void fake.endpointsMade.get(id)?.zones.push(zone),
        remove: async (id) => void fake.endpointsMade.delete(id),
      },
    },
    aResource: (resourceId) => aResource({ resourceId, region: 'westeurope', identities: [], tags: {} }),
    putSource(resourceId) {
      const known = { tenantId: 'tenant', administrators: ['group-of-source'] };
      fake.made.set(resourceId, { ...fake.aResource(resourceId), ...known });
    },
    softDelete(resourceId, purgedOn) {
      fake.made.delete(resourceId);
      const name = resourceId.split('/').at(-1) ?? '';
      const shape = { name, resourceId, region: 'northeurope', purgeProtection: false };
      deleted.push({ ...shape, deletedOn: '2030-01-01T00:00:00Z', purgedOn });
    },
    resources: {
      read: async (resourceId) => fake.made.get(resourceId),
      async create(hsm) {
        fake.created.push(hsm);
        fake.made.set(hsm.resourceId, aResource(hsm));
      },
      async attachIdentities(resourceId, identities) {
        const found = fake.made.get(resourceId);
        if (found) found.identities = identities;
      },
      remove: async (resourceId) => void fake.removed.push(resourceId),
      listDeleted: async () => deleted,
      purge: async () => undefined,
    },
    securityDomain: {
      download: () => Promise.reject(new Error('a recovery downloads nothing')),
      readDownload: async () => ({ kind: 'running' }),
      transferKey: async () => ({ format: 'jwk', key: '{"x5t#S256":"thumbprint"}' }),
      async upload(_hsm, blob) {
        fake.uploaded.push(blob);
        if (fake.onUpload.lost) throw new AppError('ERR_UNKNOWN_OUTCOME', 'lost', { nextStep: 'look' });
      },
      readUpload: async () => fake.progress,
    },
    jobs: {
      preCheckBackup: async () => started(),
      preCheckRestore: async () => started(),
      async startBackup(hsm) {
        fake.sent.push(`backup ${hsm}`);
        return started();
      },
      async startRestore(hsm, folder) {
        fake.sent.push(`restore ${hsm} ${folder}`);
        return started();
      },
      startKeyRestore: async () => started(),
      readJob: async () => fake.readings.shift() ?? SUCCEEDED,
    },
  };
  world.recovery = fake;
  return fake;
}

const aResource = ({
  resourceId,
  region,
  identities,
  tags,
  purgeProtection = true,
}: Pick<NewHsm, 'resourceId' | 'region' | 'identities' | 'tags'> & Partial<NewHsm>): HsmResource => ({
  ...{ resourceId, region, identities, tags },
  name: resourceId.split('/').at(-1) ?? '',
  uri: 'https://contoso-two.managedhsm.azure.net/',
  provisioningState: 'Provisioning',
  activation: 'NotActivated',
  purgeProtection,
  softDeleteRetentionDays: 90,
  network: { publicAccess: false, defaultAction: 'Deny', allowedRanges: [], privateEndpoints: [] },
  regions: [],
});
