import { DefaultAzureCredential, ManagedIdentityCredential } from '@azure/identity';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { APPLICATIONS, IDENTITIES, PEOPLE, TENANT_ID } from '../../../infra/local/identity/registrations.ts';
import { type IdentityService, startIdentity } from '../../../infra/local/identity/server.ts';
import { estateParts } from './support/parts.ts';

const { clock, key, tokens, faults, call } = await estateParts();
const AUDIENCE = 'api://test';
let identity: IdentityService;

beforeAll(async () => {
  identity = await startIdentity({ secret: 'the header', audience: AUDIENCE, key, tokens, faults });
  // The SDK reads these once, at its first token.
  Object.assign(process.env, identity.clientSettings);
});
afterAll(() => identity.stop());

const ask = (query: Record<string, string>, header = 'the header') =>
  call({
    method: 'GET',
    url: `${identity.url}/msi/token?${new URLSearchParams(query)}`,
    headers: { 'x-identity-header': header },
  });
const HSM = 'https://managedhsm.azure.net';
const wanted = { 'api-version': '2019-08-01', resource: HSM, client_id: IDENTITIES.rotate.clientId };

describe('The managed identity endpoint', () => {
  test('gives the unmodified ManagedIdentityCredential a token of the identity it names', async () => {
    const credential = new ManagedIdentityCredential({ clientId: IDENTITIES.rotate.clientId });
    const { token, expiresOnTimestamp } = await credential.getToken(`${HSM}/.default`);
    expect(decodeJwt(token)).toMatchObject({ aud: HSM, oid: IDENTITIES.rotate.objectId, tid: TENANT_ID });
    expect(expiresOnTimestamp).toBeGreaterThan(clock.now().getTime());
    expect(await tokens.verify(token, HSM)).toMatchObject({ oid: IDENTITIES.rotate.objectId, name: 'rotate' });
  });

  test('gives the unmodified DefaultAzureCredential a token too', async () => {
    const credential = new DefaultAzureCredential({ managedIdentityClientId: IDENTITIES.observe.clientId });
    const { token } = await credential.getToken('https://storage.azure.com/.default');
    expect(decodeJwt(token)).toMatchObject({ aud: 'https://storage.azure.com', oid: IDENTITIES.observe.objectId });
  });

  test('knows an identity by client id, object id and resource id', async () => {
    const { client_id: _clientId, ...bare } = wanted;
    for (const selector of [
      { client_id: IDENTITIES.backup.clientId },
      { principal_id: IDENTITIES.backup.objectId },
      {
        mi_res_id:
          '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/backup',
      },
    ]) {
      const reply = await ask({ ...bare, ...selector } as Record<string, string>);
      expect(JSON.parse(reply.body.toString())).toMatchObject({ client_id: IDENTITIES.backup.clientId, resource: HSM });
    }
  });

  test('refuses a stranger, a request without the secret, another version and one without a resource', async () => {
    expect((await ask({ ...wanted, client_id: 'nobody' })).status).toBe(400);
    expect((await ask(wanted, 'wrong')).status).toBe(401);
    expect((await ask({ ...wanted, 'api-version': '2017-09-01' })).status).toBe(400);
    const { resource: _resource, ...without } = wanted;
    expect((await ask(without)).status).toBe(400);
  });

  test('fails on demand', async () => {
    faults.add({ service: 'identity', operation: 'Token', where: { identity: 'rotate' }, status: 500, count: 1 });
    expect((await ask(wanted)).status).toBe(500);
    expect((await ask(wanted)).status).toBe(200);
  });
});

describe('A token', () => {
  test('is refused once estate time has passed its expiry', async () => {
    const { token } = await tokens.forIdentity(IDENTITIES.rotate, HSM, 3600);
    await expect(tokens.verify(token, HSM)).resolves.toMatchObject({ appid: IDENTITIES.rotate.clientId });
    clock.advance(2 * 3600_000);
    await expect(tokens.verify(token, HSM)).rejects.toThrow(/exp/);
    clock.advance(-2 * 3600_000);
  });

  test('is refused for another audience, and when its signature is not ours', async () => {
    const { token } = await tokens.forIdentity(IDENTITIES.rotate, HSM);
    await expect(tokens.verify(token, 'https://storage.azure.com')).rejects.toThrow(/aud/);
    const [head, , signature] = token.split('.');
    const forged = Buffer.from(JSON.stringify({ ...decodeJwt(token), oid: 'me' })).toString('base64url');
    await expect(tokens.verify([head, forged, signature].join('.'), HSM)).rejects.toThrow(/signature/);
  });

  test('of a person is verified by the published keys and carries the app role', async () => {
    const { issuer, audience, jwksUrl } = identity.api;
    const people = await identity.peopleTokens();
    const { payload } = await jwtVerify(people.approver, createRemoteJWKSet(new URL(jwksUrl)), { issuer, audience });
    expect(payload).toMatchObject({ roles: ['Approver'], oid: PEOPLE.approver.objectId });
    const discovery = await call({ method: 'GET', url: `${issuer}/.well-known/openid-configuration` });
    expect(JSON.parse(discovery.body.toString())).toMatchObject({ issuer, jwks_uri: jwksUrl });
  });

  test('of an application has the role of its registration, and no scope', async () => {
    const { issuer, audience, jwksUrl } = identity.api;
    const { token } = await tokens.forApplication(APPLICATIONS.actionGroups, { issuer, audience });
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(jwksUrl)), { issuer, audience });
    expect(payload).toMatchObject({ roles: ['ActionGroupsSecureWebhook'], azp: APPLICATIONS.actionGroups.clientId });
    expect(payload).not.toHaveProperty('scp');
  });

  test('of a person outlives a clock moved by years, either way', async () => {
    const { issuer, audience, jwksUrl } = identity.api;
    const { operator } = await identity.peopleTokens();
    for (const years of [-5, 5]) {
      const currentDate = new Date(clock.now().getTime() + years * 365 * 86_400_000);
      const keys = createRemoteJWKSet(new URL(jwksUrl));
      await expect(jwtVerify(operator, keys, { issuer, audience, currentDate })).resolves.toBeDefined();
    }
  });

  test('of a person can be made expired', async () => {
    const { issuer, audience, jwksUrl } = identity.api;
    const { token } = await tokens.forPerson(PEOPLE.viewer, { issuer, audience, lifetimeSeconds: -3600 });
    await expect(jwtVerify(token, createRemoteJWKSet(new URL(jwksUrl)), { issuer, audience })).rejects.toThrow(/exp/);
  });
});
