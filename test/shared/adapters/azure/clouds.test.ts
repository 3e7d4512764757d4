import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Listener, listen, type Request } from '../../../../infra/local/http.ts';
import { createAuditLog } from '../../../../shared/adapters/azure/audit-log.ts';
import type { Identity } from '../../../../shared/adapters/azure/credentials.ts';
import { createDocuments } from '../../../../shared/adapters/azure/documents.ts';
import { createEventPublisher } from '../../../../shared/adapters/azure/event-publisher.ts';
import { createHsmAccess } from '../../../../shared/adapters/azure/hsm-access.ts';
import { createHsmKeys } from '../../../../shared/adapters/azure/hsm-keys.ts';
import { createHsmResources } from '../../../../shared/adapters/azure/hsm-resources.ts';
import { createStateAccount } from '../../../../shared/adapters/azure/state-account.ts';
import { CLOUDS, type CloudName } from '../../../../shared/cloud.ts';
import { type Config, loadConfig } from '../../../../shared/config.ts';
import { type Ground, startGround } from './estate.ts';

/** Every service of a cloud on one port: it refuses what carries no token, as each of them does, and answers little else. */
let ground: Ground;
let server: Listener;
let asked: string[];
let hsmAudience = '';

beforeAll(async () => {
  ground = await startGround();
  server = await listen({ tls: ground.estate.tls, origin: 'https://localhost', handle: async (one) => answer(one) });
});
afterAll(async () => {
  await server.close();
  await ground.stop();
});

function answer({ headers, path }: Request) {
  if (headers.host?.includes('managedhsm') && headers.authorization === undefined) {
    const challenge = `Bearer authorization="https://login.example/tenant", resource="${hsmAudience}"`;
    return { status: 401, headers: { 'www-authenticate': challenge } };
  }
  if (path.endsWith('/query')) return { status: 200, body: { tables: [{ name: 't', columns: [], rows: [] }] } };
  return path.startsWith('/state') ? { status: 404 } : { status: 200, body: { value: [] } };
}

const identity: Identity = {
  duty: 'observe',
  clientId: 'client',
  credential: async () => ({
    async getToken(scopes) {
      asked.push(...[scopes].flat());
      return { token: 'token', expiresOnTimestamp: Date.now() + 3_600_000 };
    },
  }),
};

/** [domain of HSMs, ARM, log queries, topic] of each cloud: what Microsoft's own pages and packages say. */
const EXPECTED: Record<CloudName, { hsm: string; arm: string; logs: string; topic: string; login: string }> = {
  public: {
    hsm: 'managedhsm.azure.net',
    arm: 'https://management.azure.com',
    logs: 'https://api.loganalytics.io',
    topic: 'https://eventgrid.azure.net',
    login: 'https://login.microsoftonline.com',
  },
  usgov: {
    hsm: 'managedhsm.usgovcloudapi.net',
    arm: 'https://management.usgovcloudapi.net',
    logs: 'https://api.loganalytics.us',
    topic: 'https://eventgrid.azure.us',
    login: 'https://login.microsoftonline.us',
  },
  china: {
    hsm: 'managedhsm.azure.cn',
    arm: 'https://management.chinacloudapi.cn',
    logs: 'https://api.loganalytics.azure.cn',
    topic: 'https://eventgrid.azure.cn',
    login: 'https://login.chinacloudapi.cn',
  },
};

const sample = JSON.parse(readFileSync(new URL('../../../../local.settings.sample.json', import.meta.url), 'utf8'));

/** The settings of an installation in the cloud that leaves to it what it knows, and calls our server for the rest. */
function configOf(cloud: CloudName, changes: Record<string, string> = {}): Config {
  const here = `https://localhost:${server.port}`;
  const [one] = JSON.parse(sample.Values.MHSM_HSMS);
  return loadConfig({
    ...sample.Values,
    MHSM_CLOUD: cloud,
    MHSM_HSMS: JSON.stringify([{ ...one, uri: `https://contoso.${EXPECTED[cloud].hsm}:${server.port}` }]),
    MHSM_STATE_BLOB_URL: `${here}/state`,
    MHSM_TOPIC_ENDPOINT: `${here}/api/events`,
    MHSM_TOPIC_AUDIENCE: '',
    MHSM_EVENTS__queueServiceUri: here,
    MHSM_LANDING_CONTAINER_URL: `${here}/landing/hsm-backups`,
    MHSM_VAULT_BLOB_URL: `${here}/vault`,
    MHSM_ARM_URL: '',
    MHSM_ARM_AUDIENCE: '',
    MHSM_LOGS_ENDPOINT: '',
    MHSM_LOGS_AUDIENCE: '',
    MHSM_API_ISSUER: `${EXPECTED[cloud].login}/t/v2.0`,
    MHSM_API_JWKS_URL: `${EXPECTED[cloud].login}/t/discovery/v2.0/keys`,
    ...changes,
  });
}

const scopesOf = async (call: () => Promise<unknown>): Promise<string[]> => {
  asked = [];
  await call().catch(() => undefined);
  return [...new Set(asked)];
};

describe.each(CLOUDS)('in the cloud %s', (cloud) => {
  const expected = EXPECTED[cloud];
  const here = () => `https://localhost:${server.port}`;

  test('an HSM is asked with the token that its challenge names', async () => {
    hsmAudience = `https://${expected.hsm}`;
    const { hsms } = configOf(cloud);
    const versions = () => createHsmKeys({ hsms, identity }).versions({ hsm: 'contoso', name: 'orders' });
    const roles = () => createHsmAccess({ hsms, identity }).roleDefinitions('contoso');
    expect(await scopesOf(versions)).toEqual([`https://${expected.hsm}/.default`]);
    expect(await scopesOf(roles)).toEqual([`https://${expected.hsm}/.default`]);
  });

  test('Resource Manager is asked at its own address, with a token for it', async () => {
    expect(configOf(cloud).arm).toEqual({ armUrl: expected.arm, audience: expected.arm });
    const resources = createHsmResources({ ...configOf(cloud).arm, armUrl: here(), identity });
    expect(await scopesOf(() => resources.read('/subscriptions/s'))).toEqual([`${expected.arm}/.default`]);
  });

  test('logs are queried at their own address, with a token for it', async () => {
    const { logs, hsms } = configOf(cloud);
    expect(logs).toMatchObject({ endpoint: `${expected.logs}/v1`, audience: expected.logs });
    if (!logs) throw new Error('no logs');
    const log = createAuditLog({ ...logs, endpoint: `${here()}/v1`, hsms, identity });
    const volumes = () => log.hourVolumes('contoso', '2030-01-01T00:00:00.000Z', '2030-01-01T02:00:00.000Z');
    expect(await scopesOf(volumes)).toEqual([`${expected.logs}/.default`]);
  });

  test('the topic is sent to with a token for Event Grid of the cloud', async () => {
    const publisher = createEventPublisher({ ...configOf(cloud).topic, identity });
    expect(await scopesOf(() => publisher.publish([EVENT]))).toEqual([`${expected.topic}/.default`]);
  });

  test('storage takes the same token as everywhere', async () => {
    const account = createStateAccount({ url: configOf(cloud).stateBlobUrl, identity });
    const documents = createDocuments(account);
    expect(await scopesOf(() => documents.read('state', 'a'))).toEqual(['https://storage.azure.com/.default']);
  });

  test('each address and audience can be set by itself', () => {
    const own = 'https://api.example';
    const config = configOf(cloud, {
      MHSM_ARM_URL: own,
      MHSM_ARM_AUDIENCE: own,
      MHSM_LOGS_ENDPOINT: `${own}/v1`,
      MHSM_LOGS_AUDIENCE: own,
      MHSM_TOPIC_AUDIENCE: own,
    });
    expect(config).toMatchObject({
      arm: { armUrl: own, audience: own },
      logs: { endpoint: `${own}/v1`, audience: own },
      topic: { audience: own },
    });
  });
});

const EVENT = {
  id: 'one',
  type: 'KeyExpired',
  source: '/subscriptions/s',
  subject: 'keys/orders',
  time: '2030-01-31T00:00:00.000Z',
  data: {
    Id: 'https://contoso.example/keys/orders/1',
    VaultName: 'contoso',
    ObjectType: 'Key',
    ObjectName: 'orders',
    Version: '1',
    NBF: null,
    EXP: 1,
  },
} as const;
