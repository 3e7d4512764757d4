import { afterAll, beforeAll, expect, test } from 'vitest';
import { IDENTITIES } from '../../../../infra/local/identity/registrations.ts';
import { type IdentityService, startIdentity } from '../../../../infra/local/identity/server.ts';
import { obtainSigningKey } from '../../../../infra/local/identity/signing-key.ts';
import { classifyFailure } from '../../../../shared/adapters/azure/classify-failure.ts';
import { createIdentities } from '../../../../shared/adapters/azure/credentials.ts';
import { type Ground, startGround } from './estate.ts';

const scope = 'https://managedhsm.azure.net/.default';
let ground: Ground;
let service: IdentityService;

beforeAll(async () => {
  ground = await startGround();
  const { tokens, faults, directory } = ground;
  const key = await obtainSigningKey(directory);
  service = await startIdentity({ secret: 'secret', audience: 'api://mhsm', key, tokens, faults });
  // The library settles on its source at first use, so this process can know one endpoint only.
  Object.assign(process.env, service.clientSettings);
});
afterAll(async () => {
  await service.stop();
  await ground.stop();
});

const clientIds = { observe: IDENTITIES.observe.clientId, rotate: IDENTITIES.rotate.clientId };

test('each duty gets tokens of its own identity', async () => {
  const identities = createIdentities(clientIds);
  for (const duty of ['observe', 'rotate'] as const) {
    const token = await (await identities[duty].credential()).getToken(scope);
    const principal = await ground.tokens.verify(token?.token ?? '', 'https://managedhsm.azure.net');
    expect(principal).toMatchObject({ oid: IDENTITIES[duty].objectId, appid: clientIds[duty] });
  }
});

test('a duty that the installation leaves out has no identity', async () => {
  const { backup, restore } = createIdentities({ ...clientIds, backup: IDENTITIES.backup.clientId });
  expect(restore).toBeUndefined();
  const token = await (await backup?.credential())?.getToken(scope);
  expect(await ground.tokens.verify(token?.token ?? '', 'https://managedhsm.azure.net')).toMatchObject({
    oid: IDENTITIES.backup.objectId,
  });
});

test('a duty keeps one credential, which keeps its token', async () => {
  const { observe } = createIdentities(clientIds);
  expect(await observe.credential()).toBe(await observe.credential());
});

test('an identity that is not attached to the app is a denial that names it', async () => {
  const unknown = '00000000-0000-4000-8000-00000000dead';
  const { rotate } = createIdentities({ ...clientIds, rotate: unknown });
  const error = await (await rotate.credential()).getToken(scope).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(classifyFailure(error, { act: 'rotate the key contoso/orders', identity: rotate })).toMatchObject({
    code: 'ERR_DENIED',
    message: expect.stringContaining(unknown),
    nextStep: expect.stringContaining('attached to the app'),
  });
});
