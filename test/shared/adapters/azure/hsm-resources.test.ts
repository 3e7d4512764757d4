import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Answer, type Listener, listen, type Request } from '../../../../infra/local/http.ts';
import { createHsmResources } from '../../../../shared/adapters/azure/hsm-resources.ts';
import type { HsmResources } from '../../../../shared/ports/hsm-resources.ts';
import { type Ground, startGround } from './estate.ts';

const RESOURCE = '/subscriptions/s/resourceGroups/drills/providers/Microsoft.KeyVault/managedHSMs/drill';
const IDENTITY =
  '/subscriptions/s/resourceGroups/keys/providers/Microsoft.ManagedIdentity/userAssignedIdentities/backup';

let ground: Ground;
let server: Listener;
let resources: HsmResources;
let handle: (request: Request) => Answer;
const seen: { call: string; body: unknown }[] = [];

beforeAll(async () => {
  ground = await startGround();
  server = await listen({
    tls: ground.estate.tls,
    origin: 'https://localhost',
    async handle(request) {
      const { method, url, body, headers } = request;
      const token = headers.authorization?.replace('Bearer ', '') ?? '';
      await ground.tokens.verify(token, 'https://management.azure.com');
      const text = body.toString('utf8');
      seen.push({ call: `${method} ${url.pathname}${url.search}`, body: text === '' ? undefined : JSON.parse(text) });
      return handle(request);
    },
  });
  resources = createHsmResources({
    armUrl: `https://localhost:${server.port}`,
    audience: 'https://management.azure.com',
    identity: ground.identity('restore'),
  });
});
beforeEach(() => void seen.splice(0));
afterAll(async () => {
  await server.close();
  await ground.stop();
});

test('an HSM is read: activation, protection, retention, identities and network', async () => {
  handle = () => ({
    status: 200,
    body: {
      id: RESOURCE,
      name: 'drill',
      location: 'northeurope',
      identity: { type: 'UserAssigned', userAssignedIdentities: { [IDENTITY]: { clientId: 'c' } } },
      properties: {
        hsmUri: 'https://drill.managedhsm.azure.net/',
        provisioningState: 'Succeeded',
        statusMessage: null,
        enablePurgeProtection: true,
        softDeleteRetentionInDays: 7,
        publicNetworkAccess: 'Disabled',
        networkAcls: { bypass: 'None', defaultAction: 'Deny', ipRules: [{ value: '203.0.113.0/24' }] },
        privateEndpointConnections: [
          {
            id: 'connection',
            properties: { privateEndpoint: { id: 'pe' }, privateLinkServiceConnectionState: { status: 'Approved' } },
          },
        ],
        regions: [{ name: 'northeurope', isPrimary: true }],
        securityDomainProperties: { activationStatus: 'NotActivated' },
      },
    },
  });
  expect(await resources.read(RESOURCE)).toEqual({
    resourceId: RESOURCE,
    name: 'drill',
    region: 'northeurope',
    tags: {},
    uri: 'https://drill.managedhsm.azure.net',
    provisioningState: 'Succeeded',
    activation: 'NotActivated',
    purgeProtection: true,
    softDeleteRetentionDays: 7,
    identities: [IDENTITY],
    network: {
      publicAccess: false,
      defaultAction: 'Deny',
      allowedRanges: ['203.0.113.0/24'],
      privateEndpoints: [{ id: 'pe', status: 'Approved' }],
    },
    regions: [{ name: 'northeurope', primary: true }],
  });
  expect(seen[0]?.call).toBe(`GET ${RESOURCE}?api-version=2026-02-01`);
});

test('what the service leaves out is read by its documented default', async () => {
  handle = () => ({ status: 200, body: { id: RESOURCE } });
  expect(await resources.read(RESOURCE)).toMatchObject({
    provisioningState: 'Unknown',
    activation: 'Unknown',
    purgeProtection: false,
    softDeleteRetentionDays: 90,
    network: { publicAccess: true, defaultAction: 'Allow' },
  });
});

test('a temporary HSM is created without purge protection, which could never be taken off', async () => {
  handle = () => ({ status: 202 });
  await resources.create({
    resourceId: RESOURCE,
    region: 'northeurope',
    tenantId: 't',
    administrators: ['a'],
    softDeleteRetentionDays: 7,
    purgeProtection: false,
    identities: [IDENTITY],
    tags: { purpose: 'drill' },
    publicAccess: false,
  });
  expect(seen).toMatchObject([
    {
      call: `PUT ${RESOURCE}?api-version=2026-02-01`,
      body: {
        location: 'northeurope',
        sku: { family: 'B', name: 'Standard_B1' },
        identity: { type: 'UserAssigned', userAssignedIdentities: { [IDENTITY]: {} } },
        properties: { initialAdminObjectIds: ['a'], softDeleteRetentionInDays: 7, publicNetworkAccess: 'Disabled' },
      },
    },
  ]);
  // Left out, it would be on by the definition of the API.
  expect(seen[0]?.body).toHaveProperty('properties.enablePurgeProtection', false);
});

test('identities are attached as a whole', async () => {
  handle = () => ({ status: 202 });
  await resources.attachIdentities(RESOURCE, [IDENTITY]);
  await resources.attachIdentities(RESOURCE, []);
  expect(seen.map(({ body }) => body)).toEqual([
    { identity: { type: 'UserAssigned', userAssignedIdentities: { [IDENTITY]: {} } } },
    { identity: { type: 'None' } },
  ]);
});

test('what is not there is undefined to read, and nothing to delete or purge', async () => {
  handle = () => ({ status: 404, body: { error: { code: 'ResourceNotFound', message: 'none' } } });
  expect(await resources.read(RESOURCE)).toBeUndefined();
  await resources.remove(RESOURCE);
  await resources.purge('s', 'northeurope', 'drill');
  expect(seen.map(({ call }) => call.split('?')[0])).toEqual([
    `GET ${RESOURCE}`,
    `DELETE ${RESOURCE}`,
    'POST /subscriptions/s/providers/Microsoft.KeyVault/locations/northeurope/deletedManagedHSMs/drill/purge',
  ]);
});

test('deleted HSMs are listed over all pages, and no link to another host is followed', async () => {
  const one = (name: string) => ({
    name,
    properties: {
      mhsmId: RESOURCE,
      location: 'northeurope',
      deletionDate: '2030-01-01T00:00:00Z',
      scheduledPurgeDate: '2030-01-08T00:00:00Z',
    },
  });
  handle = ({ url }) => ({
    status: 200,
    body: url.searchParams.has('skip')
      ? { value: [one('b')], nextLink: 'https://elsewhere.example/' }
      : {
          value: [one('a')],
          nextLink: `https://localhost:${server.port}${url.pathname}?api-version=2026-02-01&skip=1`,
        },
  });
  const found = await resources.listDeleted('s');
  expect(found.map(({ name, purgeProtection }) => [name, purgeProtection])).toEqual([
    ['a', false],
    ['b', false],
  ]);
  expect(seen).toHaveLength(2);
});

test('a refusal says what to assign, and a conflict that someone else was at work', async () => {
  handle = () => ({ status: 403, body: { error: { code: 'AuthorizationFailed', message: 'no' } } });
  await expect(resources.read(RESOURCE)).rejects.toMatchObject({
    code: 'ERR_DENIED',
    nextStep: expect.stringContaining('Managed HSM contributor'),
  });
  handle = () => ({ status: 409, body: { error: { code: 'Conflict', message: 'Deleting' } } });
  await expect(resources.remove(RESOURCE)).rejects.toMatchObject({ code: 'ERR_CONFLICT' });
});
