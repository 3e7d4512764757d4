import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createSecurityDomain } from '../../../../shared/adapters/azure/security-domain.ts';
import type { SecurityDomain } from '../../../../shared/ports/security-domain.ts';
import { type Ground, startGround } from './estate.ts';
import { type FakeHsm, startFakeHsm } from './keyvault-admin/fake-hsm.ts';

let ground: Ground;
let hsm: FakeHsm;
let domain: SecurityDomain;

beforeAll(async () => {
  ground = await startGround();
  hsm = await startFakeHsm(ground);
});
beforeEach(() => {
  domain = createSecurityDomain({ hsms: [{ name: 'contoso', uri: hsm.uri }], identity: ground.identity('restore') });
  hsm.forget();
});
afterAll(async () => {
  await hsm.close();
  await ground.stop();
});

const key = {
  kid: 'a',
  kty: 'RSA' as const,
  key_ops: ['verify', 'encrypt', 'wrapKey'],
  alg: 'RSA-OAEP-256',
  n: 'n',
  e: 'AQAB',
  x5c: ['c'],
  x5t: 't',
  'x5t#S256': 's',
};
const request = { certificates: [key, key, key], required: 2 };

test('a download sends the certificates and the quorum once, and hands the blob over as it is', async () => {
  hsm.answer(({ method }) => (method === 'POST' ? { status: 202, body: { value: 'opaque' } } : { status: 404 }));
  expect(await domain.download('contoso', request)).toEqual({ blob: 'opaque' });
  expect(hsm.seen).toEqual([
    expect.objectContaining({ method: 'GET', path: '/securitydomain/download/pending' }),
    expect.objectContaining({ method: 'POST', path: '/securitydomain/download', body: request }),
  ]);
});

test('a download whose reply is lost may have happened, and is not repeated', async () => {
  hsm.answer(({ method }) => (method === 'POST' ? { destroy: true } : { status: 404 }));
  await expect(domain.download('contoso', request)).rejects.toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME' });
  expect(hsm.calls().filter((call) => call.startsWith('POST'))).toHaveLength(1);
});

test('a transfer key is passed on as the service gives it, be it a text or a JWK', async () => {
  hsm.answer(() => ({ status: 200, body: { key_format: 'jwk', transfer_key: '{"kty":"RSA"}' } }));
  expect(await domain.transferKey('contoso')).toEqual({ format: 'jwk', key: '{"kty":"RSA"}' });
  hsm.answer(() => ({ status: 200, body: { key_format: 'jwk', transfer_key: { kty: 'RSA' } } }));
  expect((await domain.transferKey('contoso')).key).toBe('{"kty":"RSA"}');
});

test('an upload is done with 204 or followed after 202', async () => {
  for (const answer of [{ status: 204 }, { status: 202, body: { status: 'InProgress', status_details: null } }]) {
    hsm.answer(({ method }) => (method === 'POST' ? answer : { status: 404 }));
    await domain.upload('contoso', 'wrapped');
    expect(hsm.seen.at(-1)).toMatchObject({ path: '/securitydomain/upload', body: { value: 'wrapped' } });
  }
});

test.each([
  ['Success', 'succeeded'],
  ['InProgress', 'running'],
  ['Failed', 'failed'],
])('progress %s reads as %s', async (status, kind) => {
  hsm.answer(() => ({ status: 200, body: { status, status_details: 'so far' } }));
  expect(await domain.readUpload('contoso')).toEqual({ kind, details: 'so far' });
  expect(await domain.readDownload('contoso')).toEqual({ kind, details: 'so far' });
});

test('an HSM that refuses says why', async () => {
  hsm.answer(() => ({ status: 403, body: { error: { code: 'Forbidden', message: 'Not in recovery.' } } }));
  await expect(domain.upload('contoso', 'wrapped')).rejects.toMatchObject({ code: 'ERR_DENIED' });
});
