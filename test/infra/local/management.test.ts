import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningEstate, startEstate } from '../../../infra/local/estate-run.ts';
import { IDENTITIES } from '../../../infra/local/identity/registrations.ts';
import { MANAGEMENT_AUDIENCE } from '../../../infra/local/management/server.ts';
import { downloadRequest, holdCeremony } from '../../../infra/local/security-domain-offline/ceremony.ts';
import { hsmResourceId, RESOURCE_GROUP } from '../../../infra/local/seed/resource-id.ts';
import { scratch } from './support/parts.ts';

const directory = await scratch();
const start = () => startEstate({ seed: 'empty', host: false, stateDirectory: directory });
let estate: RunningEstate;
beforeAll(async () => {
  estate = await start();
});
afterAll(() => estate.stop());

interface Resource {
  identity: { type: string; userAssignedIdentities?: Record<string, unknown> };
  properties: Record<string, unknown> & { hsmUri: string; securityDomainProperties: { activationStatus: string } };
  error?: { code: string };
  value?: { name: string }[];
}

async function arm(method: string, path: string, body?: unknown, audience = MANAGEMENT_AUDIENCE) {
  const { token } = await estate.tokens.forIdentity(IDENTITIES.restore, audience);
  const reply = await estate.call({
    method,
    url: `${estate.ready.management}${path}${path.includes('?') ? '' : '?api-version=2026-02-01'}`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = reply.body.toString('utf8');
  return { status: reply.status, body: (text === '' ? {} : JSON.parse(text)) as Resource };
}
const control = async (method: string, path: string, body?: unknown) => {
  const reply = await estate.call({
    method,
    url: `${estate.ready.control}${path}`,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = reply.body.toString('utf8');
  return { status: reply.status, body: text === '' ? {} : JSON.parse(text) };
};

const identity = (name: string) =>
  `${RESOURCE_GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;
const wish = (properties: Record<string, unknown> = {}) => ({
  location: 'northeurope',
  sku: { family: 'B', name: 'Standard_B1' },
  identity: { type: 'UserAssigned', userAssignedIdentities: { [identity('backup')]: {} } },
  properties: {
    tenantId: estate.estate.tenantId,
    initialAdminObjectIds: [IDENTITIES.restore.objectId],
    softDeleteRetentionInDays: 7,
    enablePurgeProtection: false,
    ...properties,
  },
});

describe('diagnostic settings', () => {
  const path = `${hsmResourceId('contoso')}/providers/Microsoft.Insights/diagnosticSettings`;
  const rows = () => estate.logs.stored.filter(({ kind }) => kind === 'audit').length;
  const call = async () => {
    const [hsm] = estate.hsms;
    const { token } = await estate.tokens.forIdentity(IDENTITIES.observe, 'https://managedhsm.azure.net');
    const headers = { authorization: `Bearer ${token}` };
    expect((await estate.call({ method: 'GET', url: `${hsm?.uri}/keys?api-version=7.5`, headers })).status).toBe(200);
  };

  test('are listed, read, removed and made again, and say whether rows reach the workspace', async () => {
    const listed = (await arm('GET', path)).body.value as unknown as {
      name: string;
      properties: { workspaceId: string };
    }[];
    expect(listed.map(({ name }) => name)).toEqual(['key-lifecycle']);
    const one = await arm('GET', `${path}/key-lifecycle`);
    expect(one.body.properties).toEqual(listed[0]?.properties);
    await call();
    const before = rows();
    expect(before).toBeGreaterThan(0);
    expect((await arm('DELETE', `${path}/key-lifecycle`)).status).toBe(200);
    expect((await arm('DELETE', `${path}/key-lifecycle`)).status).toBe(204);
    expect((await arm('GET', `${path}/key-lifecycle`)).status).toBe(404);
    await call();
    expect(rows()).toBe(before);
    expect((await arm('PUT', `${path}/key-lifecycle`, { properties: listed[0]?.properties })).status).toBe(200);
    await call();
    expect(rows()).toBeGreaterThan(before);
  });

  test('of which the body is wrong are refused', async () => {
    const { status, body } = await arm('PUT', `${path}/x`, { properties: { logs: [{ enabled: 'yes' }] } });
    expect([status, body.error?.code]).toEqual([400, 'InvalidRequestContent']);
  });
});

describe('Azure Resource Manager', () => {
  test('shows an HSM of the seed', async () => {
    const { status, body } = await arm('GET', hsmResourceId('contoso'));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      type: 'Microsoft.KeyVault/managedHSMs',
      properties: {
        provisioningState: 'Succeeded',
        enablePurgeProtection: true,
        securityDomainProperties: { activationStatus: 'Active' },
      },
    });
    expect(Object.keys(body.identity.userAssignedIdentities ?? {})).toEqual([identity('backup')]);
  });

  test('creates an HSM that is provisioned after a while and used once it is activated', async () => {
    const created = await arm('PUT', hsmResourceId('drill'), wish());
    expect(created.status).toBe(202);
    expect(created.body.properties).toMatchObject({
      provisioningState: 'Provisioning',
      securityDomainProperties: { activationStatus: 'NotActivated' },
    });
    estate.estate.clock.advance(30_000);
    expect((await arm('GET', hsmResourceId('drill'))).body.properties.provisioningState).toBe('Succeeded');

    const holders = await holdCeremony(['Ada', 'Grace', 'Hedy'], { now: estate.estate.clock.now() });
    const request = downloadRequest(
      holders.map(({ certificatePem }) => certificatePem),
      2,
    );
    const { token } = await estate.tokens.forIdentity(IDENTITIES.restore, 'https://managedhsm.azure.net');
    const reply = await estate.call({
      method: 'POST',
      url: `${created.body.properties.hsmUri}securitydomain/download?api-version=2025-07-01`,
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(request),
    });
    expect(reply.status).toBe(202);
    await expect
      .poll(() => {
        estate.estate.clock.advance(10_000);
        return estate.hsms.find(({ name }) => name === 'drill')?.activated;
      })
      .toBe(true);
    const { body } = await arm('GET', hsmResourceId('drill'));
    expect(body.properties.securityDomainProperties.activationStatus).toBe('Active');
  });

  test('attaches and detaches identities, and never takes purge protection back', async () => {
    const detached = { identity: { type: 'UserAssigned', userAssignedIdentities: { [identity('backup')]: null } } };
    const patched = await arm('PATCH', hsmResourceId('contoso'), detached);
    expect(patched.body.identity).toEqual({ type: 'None' });
    expect((await control('GET', '/hsms/contoso/jobs')).body.identities).toEqual([]);
    const attached = { identity: { type: 'UserAssigned', userAssignedIdentities: { [identity('backup')]: {} } } };
    expect((await arm('PATCH', hsmResourceId('contoso'), attached)).body.identity.type).toBe('UserAssigned');
    const unprotect = { properties: { enablePurgeProtection: false } };
    expect((await arm('PATCH', hsmResourceId('contoso'), unprotect)).status).toBe(400);
  });

  test('deletes, shows what was deleted until it is purged, and refuses to purge what is protected', async () => {
    await arm('PUT', hsmResourceId('temporary'), wish());
    await arm('PUT', hsmResourceId('guarded'), wish({ enablePurgeProtection: true }));
    for (const name of ['temporary', 'guarded']) expect((await arm('DELETE', hsmResourceId(name))).status).toBe(200);
    expect((await arm('GET', hsmResourceId('temporary'))).body.error?.code).toBe('ResourceNotFound');
    expect((await arm('PUT', hsmResourceId('temporary'), wish())).status).toBe(409);
    const subscription = RESOURCE_GROUP.split('/').slice(0, 3).join('/');
    const deleted = `${subscription}/providers/Microsoft.KeyVault/locations/northeurope/deletedManagedHSMs`;
    const all = await arm('GET', `${subscription}/providers/Microsoft.KeyVault/deletedManagedHSMs`);
    expect(all.body.value?.map(({ name }) => name)).toEqual(['temporary', 'guarded']);
    expect((await arm('POST', `${deleted}/guarded/purge`)).status).toBe(400);
    expect((await arm('POST', `${deleted}/temporary/purge`)).status).toBe(202);
    expect((await arm('GET', `${deleted}/temporary`)).status).toBe(404);
    const recovered = await arm('PUT', hsmResourceId('guarded'), wish({ createMode: 'recover' }));
    expect(recovered.status).toBe(200);
    expect((await arm('DELETE', hsmResourceId('nothing'))).status).toBe(204);
  });

  test('refuses tokens of another audience, a body that is no HSM and a request without api-version', async () => {
    expect((await arm('GET', hsmResourceId('contoso'), undefined, 'https://vault.azure.net')).status).toBe(401);
    expect((await arm('PUT', hsmResourceId('wrong'), { location: 'x' })).body.error?.code).toBe(
      'InvalidRequestContent',
    );
    expect((await arm('GET', `${hsmResourceId('contoso')}?x=1`)).body.error?.code).toBe('MissingApiVersionParameter');
  });
});

describe('The control surface', () => {
  test('creates an HSM with the security domain of another, ready for a drill', async () => {
    const made = await control('POST', '/hsms', { name: 'standing', securityDomainOf: 'contoso' });
    expect(made.body).toMatchObject({ name: 'standing', activated: true });
    const [contoso, standing] = ['contoso', 'standing'].map((name) => estate.hsms.find((hsm) => hsm.name === name));
    expect(standing?.securityDomain).toEqual(contoso?.securityDomain);
    expect(estate.ready.hsms.map(({ name }) => name)).toContain('standing');
    expect((await control('POST', '/hsms', { name: 'standing' })).status).toBe(409);
  });

  test('changes readings, identities and storage roles', async () => {
    expect((await control('POST', '/hsms/contoso/readings', { thirtyMinuteRule: 'none' })).body.readings).toMatchObject(
      {
        thirtyMinuteRule: 'none',
      },
    );
    expect((await control('POST', '/hsms/contoso/readings', { thirtyMinuteRule: 'x' })).status).toBe(400);
    expect((await control('POST', '/hsms/contoso/identities', { detach: 'backup' })).body.identities).toEqual([]);
    expect((await control('POST', '/storage/landing/roles', { identity: 'backup', role: 'none' })).status).toBe(204);
    expect((await control('POST', '/storage/nowhere/roles', { identity: 'backup', role: 'none' })).status).toBe(404);
    expect((await control('POST', '/hsms/contoso/jobs/end', {})).status).toBe(409);
    expect((await control('POST', '/storage/landing/containers/hsm-backups', { retentionDays: 3 })).body).toEqual({
      retentionDays: 3,
    });
  });
});

describe('HSMs that came while the estate ran', () => {
  test('are there again after a restart, deleted ones included', async () => {
    await control('DELETE', '/hsms/guarded');
    const uri = estate.hsms.find(({ name }) => name === 'standing')?.uri;
    await estate.stop();
    estate = await start();
    expect(estate.hsms.map(({ name }) => name)).toEqual(['contoso', 'drill', 'standing']);
    expect(estate.hsms.find(({ name }) => name === 'standing')?.uri).toBe(uri);
    expect([...estate.fleet.deleted.keys()]).toEqual(['guarded']);
  });

  test('are gone after a reset', async () => {
    await estate.reset();
    expect(estate.hsms.map(({ name }) => name)).toEqual(['contoso']);
    expect(estate.fleet.deleted.size).toBe(0);
    expect((await control('GET', '/hsms/contoso/jobs')).body.identities).toEqual(['backup']);
  });
});
