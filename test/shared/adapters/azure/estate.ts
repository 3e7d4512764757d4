import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCaller } from '../../../../infra/local/call.ts';
import { obtainCertificates } from '../../../../infra/local/certificates.ts';
import { createClock } from '../../../../infra/local/clock.ts';
import type { AuditRow, Estate } from '../../../../infra/local/estate.ts';
import { createFaults } from '../../../../infra/local/faults.ts';
import { IDENTITIES, TENANT_ID } from '../../../../infra/local/identity/registrations.ts';
import { obtainSigningKey } from '../../../../infra/local/identity/signing-key.ts';
import { createTokens } from '../../../../infra/local/identity/tokens.ts';
import { createManagedHsm } from '../../../../infra/local/managed-hsm/server.ts';
import { type StorageService, startStorage } from '../../../../infra/local/storage/storage.ts';
import { trustAuthority } from '../../../../infra/local/trust.ts';
import type { Duty, Identity } from '../../../../shared/adapters/azure/credentials.ts';

const storageAudience = 'https://storage.azure.com';

/** What the services of the embedded estate need, and identities whose tokens they accept. */
export async function startGround() {
  const directory = await mkdtemp(join(tmpdir(), 'adapters-'));
  const [tls, signingKey] = await Promise.all([obtainCertificates(directory), obtainSigningKey(directory)]);
  trustAuthority(tls.ca);
  const clock = createClock(Date.now);
  const faults = createFaults();
  const tokens = createTokens(signingKey, clock);
  const rows: AuditRow[] = [];
  const estate: Estate = { clock, faults, tokens, tls, tenantId: TENANT_ID, audit: (row) => rows.push(row) };

  const identity = (duty: Duty): Identity => ({
    duty,
    clientId: IDENTITIES[duty].clientId,
    credential: async () => ({
      async getToken(scopes) {
        const audience = [scopes].flat()[0]?.replace('/.default', '') ?? '';
        const { token, expiresOn } = await tokens.forIdentity(IDENTITIES[duty], audience);
        return { token, expiresOnTimestamp: expiresOn * 1000 };
      },
    }),
  });

  return {
    estate,
    faults,
    tokens,
    directory,
    rows,
    identity,
    /** How often an operation was acted on, since the last time it was asked. */
    takeCalls(operation: string): number {
      const found = rows.filter(({ operationName }) => operationName === operation).length;
      rows.splice(0);
      return found;
    },
    stop: () => rm(directory, { recursive: true, force: true }),
  };
}

export type Ground = Awaited<ReturnType<typeof startGround>>;

/** A Managed HSM named `contoso`, with the two duties as they are deployed. */
export async function startHsm({ estate }: Ground) {
  const hsm = createManagedHsm({
    name: 'contoso',
    resourceId: '/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/managedHSMs/contoso',
    region: 'westeurope',
    retentionDays: 7,
    purgeProtection: false,
    port: 0,
    estate,
    administrators: [],
    // A test of a client must not wait for the service's pace.
    readings: { throttling: false },
  });
  await hsm.start();
  const observe = hsm.seedRole({ roleName: 'Lifecycle observe', dataActions: ['keys/read/action'] });
  const rotate = hsm.seedRole({
    roleName: 'Lifecycle rotate',
    dataActions: ['read', 'write', 'rotate', 'backup', 'wrap', 'unwrap', 'encrypt', 'decrypt', 'sign', 'verify'].map(
      (verb) => `keys/${verb}/action`,
    ),
  });
  hsm.seedAssignment({ principalId: IDENTITIES.observe.objectId, roleDefinitionId: observe, scope: '/' });
  hsm.seedAssignment({ principalId: IDENTITIES.rotate.objectId, roleDefinitionId: rotate, scope: '/' });
  return hsm;
}

/** Azurite behind the estate's proxy, with the containers of a deployment. */
export async function startBlobs(ground: Ground): Promise<StorageService> {
  const { estate, tokens, faults } = ground;
  const storage = await startStorage({
    tls: estate.tls,
    tokens,
    faults,
    call: createCaller(estate.tls.ca).call,
    token: async () => (await tokens.forIdentity(IDENTITIES.administrator, storageAudience)).token,
  });
  await storage.provision();
  return storage;
}
