import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ManagedHsm } from '../../../../infra/local/managed-hsm/server.ts';
import { createHsmCrypto } from '../../../../shared/adapters/azure/hsm-crypto.ts';
import type { HsmCrypto } from '../../../../shared/ports/hsm-crypto.ts';
import { type Ground, startGround, startHsm } from './estate.ts';

let ground: Ground;
let hsm: ManagedHsm;
let crypto: HsmCrypto;
const key = (name: string) => ({ hsm: 'contoso', name });
const newestOf = (name: string) =>
  hsm
    .keys()
    .keys.find((candidate) => candidate.name === name)
    ?.versions.at(-1)?.version ?? '';
const verbs = () => ground.rows.map(({ operationName }) => operationName);

beforeAll(async () => {
  ground = await startGround();
  hsm = await startHsm(ground);
  await hsm.seedKey({ name: 'rsa', kty: 'RSA-HSM', size: 2048 });
  await hsm.seedKey({ name: 'ec', kty: 'EC-HSM', crv: 'P-256' });
  await hsm.seedKey({ name: 'aes', kty: 'oct-HSM', size: 256 });
  await hsm.seedKey({ name: 'off', kty: 'oct-HSM', size: 256, attributes: { enabled: false } });
  await hsm.seedKey({ name: 'signer', kty: 'EC-HSM', crv: 'P-256', keyOps: ['verify'] });
  crypto = createHsmCrypto({ hsms: [{ name: 'contoso', uri: hsm.uri }], identity: ground.identity('rotate') });
});
afterEach(() => void ground.rows.splice(0));
afterAll(async () => {
  await hsm.stop();
  await ground.stop();
});

describe('every operation is done by the HSM, with one call and without reading the key', () => {
  test('wrapping and unwrapping, RSA included', async () => {
    const secret = crypto.randomBytes(32);
    const wrapped = await crypto.wrap(key('rsa'), newestOf('rsa'), 'RSA-OAEP-256', secret);
    expect(await crypto.unwrap(key('rsa'), newestOf('rsa'), 'RSA-OAEP-256', wrapped)).toEqual(secret);
    expect(verbs()).toEqual(['KeyWrap', 'KeyUnwrap']);
  });

  test('encrypting and decrypting with AES-GCM', async () => {
    const plaintext = crypto.randomBytes(40);
    const sealed = await crypto.encrypt(key('aes'), newestOf('aes'), 'A256GCM', plaintext);
    expect([sealed.iv?.byteLength, sealed.tag?.byteLength]).toEqual([12, 16]);
    expect(await crypto.decrypt(key('aes'), newestOf('aes'), 'A256GCM', sealed)).toEqual(plaintext);
    expect(verbs()).toEqual(['KeyEncrypt', 'KeyDecrypt']);
  });

  test.each([
    ['rsa', 'PS256'],
    ['ec', 'ES256'],
  ])('signing and verifying with %s and %s', async (name, algorithm) => {
    const digest = crypto.digest('SHA-256', crypto.randomBytes(16));
    const signature = await crypto.sign(key(name), newestOf(name), algorithm, digest);
    expect(await crypto.verify(key(name), newestOf(name), algorithm, digest, signature)).toBe(true);
    const other = crypto.digest('SHA-256', crypto.randomBytes(16));
    expect(await crypto.verify(key(name), newestOf(name), algorithm, other, signature)).toBe(false);
    expect(verbs()).toEqual(['KeySign', 'KeyVerify', 'KeyVerify']);
  });
});

test('a key that is disabled is refused by the HSM, not denied', async () => {
  const wrap = crypto.wrap(key('off'), newestOf('off'), 'A256KW', crypto.randomBytes(32));
  await expect(wrap).rejects.toMatchObject({ code: 'ERR_REFUSED_BY_SERVICE' });
});

test('an operation that the key does not permit is refused by the HSM, not denied', async () => {
  const sign = crypto.sign(key('signer'), newestOf('signer'), 'ES256', crypto.digest('SHA-256', new Uint8Array()));
  await expect(sign).rejects.toMatchObject({ code: 'ERR_REFUSED_BY_SERVICE' });
});

test('an identity without the data action is denied, and told which one it lacks', async () => {
  const observer = createHsmCrypto({ hsms: [{ name: 'contoso', uri: hsm.uri }], identity: ground.identity('observe') });
  const wrap = observer.wrap(key('aes'), newestOf('aes'), 'A256KW', crypto.randomBytes(32));
  await expect(wrap).rejects.toMatchObject({
    code: 'ERR_DENIED',
    denial: { dataAction: 'Microsoft.KeyVault/managedHsm/keys/wrap/action', duty: 'observe' },
  });
});
