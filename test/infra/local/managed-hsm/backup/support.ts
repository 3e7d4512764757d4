import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { afterAll } from 'vitest';
import { IDENTITIES, type Identity } from '../../../../../infra/local/identity/registrations.ts';
import type { BackupReadings } from '../../../../../infra/local/managed-hsm/backup/readings.ts';
import { addFullBackups, type FullBackups } from '../../../../../infra/local/managed-hsm/backup/service.ts';
import {
  addSecurityDomain,
  type SecurityDomainService,
} from '../../../../../infra/local/managed-hsm/security-domain/service.ts';
import {
  createManagedHsm,
  type ManagedHsm,
  type SecurityDomain,
} from '../../../../../infra/local/managed-hsm/server.ts';
import { STORAGE_AUDIENCE } from '../../../../../infra/local/storage/proxy.ts';
import { startStorage } from '../../../../../infra/local/storage/storage.ts';
import { estateParts } from '../../support/parts.ts';

export const HSM_AUDIENCE = 'https://managedhsm.azure.net';

export interface Answered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  body: Record<string, unknown> & { error?: { code: string; message: string } | null };
}

export interface BackupHsm {
  hsm: ManagedHsm;
  backups: FullBackups;
  domain: SecurityDomainService;
  /** A call with the administrator's token, or another identity's. */
  send(method: string, path: string, body?: unknown, as?: Identity | null): Promise<Answered>;
}

/** Storage, and HSMs that write to it, on one clock. */
export async function backupBench(options: { directory?: string } = {}) {
  const parts = await estateParts();
  const { tokens, call, clock } = parts;
  const storage = await startStorage({
    ...{ tls: parts.tls, tokens, faults: parts.faults, call, ...options },
    token: async () => (await tokens.forIdentity(IDENTITIES.eventGrid, STORAGE_AUDIENCE)).token,
  });
  afterAll(() => storage.stop());
  await storage.provision();
  const credential = {
    async getToken() {
      const { token, expiresOn } = await tokens.forIdentity(IDENTITIES.observe, STORAGE_AUDIENCE);
      return { token, expiresOnTimestamp: expiresOn * 1000 };
    },
  };
  const landing: ContainerClient = new BlobServiceClient(storage.accounts.landing.blobUrl, credential, {
    retryOptions: { maxTries: 1 },
  }).getContainerClient('hsm-backups');

  const startHsm = async (options: {
    name?: string;
    securityDomain?: SecurityDomain;
    activated?: boolean;
    readings?: Partial<BackupReadings>;
  }): Promise<BackupHsm> => {
    const { name = 'contoso', securityDomain, activated = true, readings } = options;
    const hsm = createManagedHsm({
      ...{ name, resourceId: `/subscriptions/s/managedHSMs/${name}`, region: 'westeurope', port: 0 },
      ...{ retentionDays: 7, purgeProtection: false, estate: parts.estate },
      ...{ administrators: [IDENTITIES.administrator.objectId], activated },
      ...(securityDomain ? { securityDomain } : {}),
    });
    const backups = addFullBackups({
      ...{ hsm, estate: parts.estate, region: 'westeurope', identities: ['backup'] },
      storageToken: () => tokens.forIdentity(IDENTITIES.backup, STORAGE_AUDIENCE, 86_400 * 365),
      ...(readings ? { readings } : {}),
    });
    const domain = addSecurityDomain({ hsm, clock });
    await hsm.start();
    for (const role of ['Managed HSM Crypto User', 'Managed HSM Crypto Officer', 'Managed HSM Restore User']) {
      const definition = hsm.keys().roleDefinitions.find(({ properties }) => properties.roleName === role);
      hsm.seedAssignment({
        principalId: IDENTITIES.administrator.objectId,
        roleDefinitionId: definition?.name ?? role,
        scope: '/',
      });
    }
    afterAll(async () => {
      backups.stop();
      domain.stop();
      await hsm.stop();
    });
    return {
      hsm,
      backups,
      domain,
      async send(method, path, body, as = IDENTITIES.administrator) {
        const url = new URL(`${hsm.uri}${path}`);
        if (!url.searchParams.has('api-version')) url.searchParams.set('api-version', '2025-07-01');
        const token = as && (await tokens.forIdentity(as, HSM_AUDIENCE)).token;
        const reply = await call({
          method,
          url,
          headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), 'content-type': 'application/json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const text = reply.body.toString('utf8');
        return { ...reply, text, body: text.startsWith('{') ? JSON.parse(text) : {} };
      },
    };
  };

  const target = { storageResourceUri: landing.url, useManagedIdentity: true };
  /** Polls once after the clock has passed the job's time. */
  const finished = async ({ send }: BackupHsm, started: Answered): Promise<Answered> => {
    clock.advance(60_000);
    return send('GET', new URL(String(started.headers['azure-asyncoperation'])).pathname);
  };
  /** A full backup from start to end. Resolves with the folder. */
  const backUp = async (one: BackupHsm): Promise<string> => {
    const done = await finished(one, await one.send('POST', '/backup', target));
    if (done.body.status !== 'Succeeded') throw new Error(done.text);
    return String(done.body.azureStorageBlobContainerUri).split('/').at(-1) ?? '';
  };
  return { ...parts, storage, credential, landing, target, startHsm, finished, backUp };
}
