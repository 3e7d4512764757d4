import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningEstate, startEstate } from '../../../../infra/local/estate-run.ts';
import { IDENTITIES } from '../../../../infra/local/identity/registrations.ts';
import { hsmResourceId, RESOURCE_GROUP } from '../../../../infra/local/seed/resource-id.ts';
import type { Identity } from '../../../../shared/adapters/azure/credentials.ts';
import { createHsmAccess } from '../../../../shared/adapters/azure/hsm-access.ts';
import { createHsmEndpoints } from '../../../../shared/adapters/azure/hsm-endpoints.ts';
import { createHsmResources } from '../../../../shared/adapters/azure/hsm-resources.ts';
import { hasCode } from '../../../../shared/errors.ts';
import type { HsmEndpoints } from '../../../../shared/ports/hsm-endpoints.ts';
import type { HsmResources } from '../../../../shared/ports/hsm-resources.ts';

const HSM = hsmResourceId('drill-1');
const ENDPOINT = `${RESOURCE_GROUP}/providers/Microsoft.Network/privateEndpoints/drill-1`;
const ZONE = `${RESOURCE_GROUP}/providers/Microsoft.Network/privateDnsZones/privatelink.managedhsm.azure.net`;
const SUBNET = `${RESOURCE_GROUP}/providers/Microsoft.Network/virtualNetworks/keys/subnets/endpoints`;

let estate: RunningEstate;
let endpoints: HsmEndpoints;
let resources: HsmResources;

const identity: Identity = {
  duty: 'restore',
  clientId: IDENTITIES.restore.clientId,
  credential: async () => ({
    async getToken(scopes) {
      const audience = [scopes].flat()[0]?.replace('/.default', '') ?? '';
      const { token, expiresOn } = await estate.tokens.forIdentity(IDENTITIES.restore, audience);
      return { token, expiresOnTimestamp: expiresOn * 1000 };
    },
  }),
};

beforeAll(async () => {
  estate = await startEstate({ seed: 'empty', host: false });
  const arm = { armUrl: estate.ready.management, audience: 'https://management.azure.com', identity };
  endpoints = createHsmEndpoints(arm);
  resources = createHsmResources(arm);
  await resources.create({
    ...{ resourceId: HSM, region: 'northeurope', tenantId: estate.estate.tenantId, softDeleteRetentionDays: 7 },
    administrators: [IDENTITIES.restore.objectId],
    ...{ purgeProtection: false, publicAccess: false, identities: [], tags: {} },
  });
  const hsm = estate.hsms.find(({ name }) => name === 'drill-1');
  hsm?.setActivated(true);
});
afterAll(() => estate.stop());

const wish = { resourceId: ENDPOINT, region: 'westeurope', subnetId: SUBNET, hsmId: HSM, tags: { 'mhsm-drill': 'd' } };
const rolesOf = async () => {
  const found = await resources.read(HSM);
  const access = createHsmAccess({ hsms: [{ name: 'drill-1', uri: found?.uri ?? '' }], identity });
  return access.roleDefinitions('drill-1');
};

test('an HSM that is made closed answers nobody before a private endpoint leads to it', async () => {
  expect(await endpoints.read(ENDPOINT)).toBeUndefined();
  const refused = await rolesOf().catch((error: unknown) => error);
  expect(hasCode(refused, 'ERR_DENIED')).toBe(true);
  expect((refused as { nextStep: string }).nextStep).toContain('private endpoint');
  await endpoints.create(wish);
  await endpoints.create(wish);
  expect(await endpoints.read(ENDPOINT)).toEqual({
    resourceId: ENDPOINT,
    tags: { 'mhsm-drill': 'd' },
    provisioningState: 'Succeeded',
    connection: 'Approved',
  });
  expect((await rolesOf()).length).toBeGreaterThan(5);
  expect((await resources.read(HSM))?.network).toMatchObject({
    publicAccess: false,
    privateEndpoints: [{ id: ENDPOINT, status: 'Approved' }],
  });
});

test('a subnet is there, is not, or may not be read', async () => {
  expect(await endpoints.hasSubnet(SUBNET)).toBe(true);
  expect(await endpoints.hasSubnet(SUBNET.replace('/keys/', '/nothing/'))).toBe(false);
  estate.estate.faults.add({ service: 'management', operation: 'GET subnets', status: 403, count: 1 });
  expect(await endpoints.hasSubnet(SUBNET)).toBe(false);
});

test('its name is kept by the zone that is given', async () => {
  expect(await endpoints.readZones(ENDPOINT)).toEqual([]);
  await endpoints.nameIn(ENDPOINT, ZONE);
  expect(await endpoints.readZones(ENDPOINT)).toEqual([ZONE]);
});

test('it outlives its HSM, and is removed by itself, once and again', async () => {
  await resources.remove(HSM);
  expect(await endpoints.read(ENDPOINT)).toMatchObject({ resourceId: ENDPOINT });
  await endpoints.remove(ENDPOINT);
  await endpoints.remove(ENDPOINT);
  expect(await endpoints.read(ENDPOINT)).toBeUndefined();
});

test('a refusal names what was asked for, and the role that does it', async () => {
  estate.estate.faults.add({ service: 'management', operation: 'PUT privateEndpoints', status: 403, count: 1 });
  const refused = await endpoints.create(wish).catch((error: unknown) => error);
  expect(hasCode(refused, 'ERR_DENIED')).toBe(true);
  expect(String(refused)).toContain(`create ${ENDPOINT}`);
  expect((refused as { nextStep: string }).nextStep).toContain('Network Contributor');
});
