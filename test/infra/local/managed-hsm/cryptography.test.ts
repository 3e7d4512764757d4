import {
  constants,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  verify as verifyLocally,
} from 'node:crypto';
import type { SignatureAlgorithm } from '@azure/keyvault-keys';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCrypto } from '../../../../infra/local/managed-hsm/crypto/operations.ts';
import { type Curve, generateMaterial, type Material } from '../../../../infra/local/managed-hsm/material.ts';
import { type Bench, startHsm } from './support.ts';

const HASHES: Record<string, string> = { 256: 'sha256', 384: 'sha384', 512: 'sha512' };
const hashOf = (algorithm: string) => HASHES[algorithm.slice(2, 5)] ?? '';
const digest = (algorithm: string, data: Uint8Array) => createHash(hashOf(algorithm)).update(data).digest();
const b64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
const plain = (value: unknown) => Buffer.from(String(value), 'base64url');
const flip = (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte)));
const publicKey = ({ secret }: Material) => createPublicKey(secret);

const data = fc.uint8Array({ maxLength: 200 });
const few = { numRuns: 8 };

let rsa: Material;
beforeAll(async () => {
  rsa = await generateMaterial({ kty: 'RSA-HSM', size: 2048 });
});

describe('RSA', () => {
  test.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'])('%s signs digests that OpenSSL accepts', (alg) => {
    fc.assert(
      fc.property(data, (message) => {
        const value = plain(runCrypto('sign', rsa, { alg, value: b64(digest(alg, message)) }).value);
        const padding = alg.startsWith('PS') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
        expect(verifyLocally(hashOf(alg), message, { key: publicKey(rsa), padding }, value)).toBe(true);
        const check = { alg, digest: b64(digest(alg, message)) };
        expect(runCrypto('verify', rsa, { ...check, value: b64(value) })).toEqual({ value: true });
        expect(runCrypto('verify', rsa, { ...check, value: b64(flip(value)) })).toEqual({ value: false });
      }),
      few,
    );
  });

  test.each(['RSA1_5', 'RSA-OAEP', 'RSA-OAEP-256'])('%s opens what it and OpenSSL encrypted', (alg) => {
    const padding = alg === 'RSA1_5' ? constants.RSA_PKCS1_PADDING : constants.RSA_PKCS1_OAEP_PADDING;
    const scheme = { padding, oaepHash: alg === 'RSA-OAEP-256' ? 'sha256' : 'sha1' };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 190 }), (message) => {
        for (const [seal, open] of [
          ['encrypt', 'decrypt'],
          ['wrapKey', 'unwrapKey'],
        ] as const) {
          const { value } = runCrypto(seal, rsa, { alg, value: b64(message) });
          expect(runCrypto(open, rsa, { alg, value }).value).toBe(b64(message));
          if (alg !== 'RSA1_5')
            expect(b64(privateDecrypt({ key: rsa.secret, ...scheme }, plain(value)))).toBe(b64(message));
          const sealed = publicEncrypt({ key: publicKey(rsa), ...scheme }, message);
          expect(runCrypto(open, rsa, { alg, value: b64(sealed) }).value).toBe(b64(message));
        }
      }),
      few,
    );
  });

  test('RSNULL signs a value as it is', () => {
    const value = b64(randomBytes(40));
    const signed = runCrypto('sign', rsa, { alg: 'RSNULL', value }).value;
    expect(runCrypto('verify', rsa, { alg: 'RSNULL', digest: value, value: signed })).toEqual({ value: true });
    expect(runCrypto('verify', rsa, { alg: 'RSNULL', digest: b64(randomBytes(40)), value: signed })).toEqual({
      value: false,
    });
  });

  test('refuses a damaged ciphertext and a digest of the wrong length', () => {
    const value = b64(randomBytes(256));
    for (const alg of ['RSA1_5', 'RSA-OAEP']) expect(() => runCrypto('decrypt', rsa, { alg, value })).toThrow(alg);
    expect(() => runCrypto('sign', rsa, { alg: 'RS256', value: b64(randomBytes(20)) })).toThrow('32 bytes');
  });
});

describe('EC', () => {
  const curves: [string, Curve][] = [
    ['ES256', 'P-256'],
    ['ES256K', 'P-256K'],
    ['ES384', 'P-384'],
    ['ES512', 'P-521'],
  ];
  test.each(curves)('%s signs digests that OpenSSL accepts, and judges signatures as it does', async (alg, crv) => {
    const key = await generateMaterial({ kty: 'EC-HSM', crv });
    const locally = (message: Uint8Array, signature: Buffer) =>
      verifyLocally(hashOf(alg), message, { key: publicKey(key), dsaEncoding: 'ieee-p1363' }, signature);
    fc.assert(
      fc.property(data, (message) => {
        const value = plain(runCrypto('sign', key, { alg, value: b64(digest(alg, message)) }).value);
        expect(locally(message, value)).toBe(true);
        for (const tried of [value, flip(value), value.subarray(1), Buffer.alloc(value.length)]) {
          const body = { alg, digest: b64(digest(alg, message)), value: b64(tried) };
          expect(runCrypto('verify', key, body)).toEqual({ value: locally(message, tried) });
        }
      }),
      few,
    );
  });

  test('needs the curve that the algorithm names', async () => {
    const key = await generateMaterial({ kty: 'EC-HSM', crv: 'P-384' });
    expect(() => runCrypto('sign', key, { alg: 'ES256', value: b64(randomBytes(32)) })).toThrow('P-256');
    expect(() => runCrypto('encrypt', key, { alg: 'RSA-OAEP', value: '' })).toThrow('not supported');
  });
});

describe.each([128, 192, 256])('AES of %i bits', (size) => {
  let key: Material;
  beforeAll(async () => {
    key = await generateMaterial({ kty: 'oct-HSM', size });
  });

  test('GCM chooses its own nonce and authenticates text and additional data', () => {
    const alg = `A${size}GCM`;
    fc.assert(
      fc.property(data, data, (message, more) => {
        const sealed = runCrypto('encrypt', key, { alg, value: b64(message), aad: b64(more) });
        const decipher = createDecipheriv(`aes-${size as 256}-gcm`, key.secret, plain(sealed.iv));
        decipher.setAAD(more).setAuthTag(plain(sealed.tag));
        expect(b64(Buffer.concat([decipher.update(plain(sealed.value)), decipher.final()]))).toBe(b64(message));
        expect(runCrypto('decrypt', key, sealed).value).toBe(b64(message));
        expect(() => runCrypto('decrypt', key, { ...sealed, tag: b64(flip(plain(sealed.tag))) })).toThrow(alg);
      }),
    );
    expect(() => runCrypto('encrypt', key, { alg, value: '', iv: b64(randomBytes(12)) })).toThrow('iv');
  });

  test('CBC takes whole blocks, and CBCPAD any length', () => {
    const iv = b64(randomBytes(16));
    fc.assert(
      fc.property(data, (message) => {
        for (const suffix of ['CBC', 'CBCPAD']) {
          const body = { alg: `A${size}${suffix}`, value: b64(message), iv };
          const fits = suffix === 'CBCPAD' || message.length % 16 === 0;
          if (!fits) expect(() => runCrypto('encrypt', key, body)).toThrow('whole');
          else expect(runCrypto('decrypt', key, runCrypto('encrypt', key, body)).value).toBe(b64(message));
        }
      }),
    );
  });

  test('wraps and unwraps keys, and refuses a damaged one', () => {
    fc.assert(
      fc.property(fc.constantFrom(16, 24, 32, 64), (length) => {
        const secret = b64(randomBytes(length));
        for (const alg of [`A${size}KW`, 'CKM_AES_KEY_WRAP', 'CKM_AES_KEY_WRAP_PAD']) {
          const { value } = runCrypto('wrapKey', key, { alg, value: secret });
          expect(runCrypto('unwrapKey', key, { alg, value }).value).toBe(secret);
          expect(() => runCrypto('unwrapKey', key, { alg, value: b64(flip(plain(value))) })).toThrow(alg);
        }
      }),
    );
  });

  test.each(['HS256', 'HS384', 'HS512'])('%s computes the HMAC', (alg) => {
    fc.assert(
      fc.property(data, (message) => {
        const { value } = runCrypto('sign', key, { alg, value: b64(message) });
        expect(value).toBe(createHmac(hashOf(alg), key.secret).update(message).digest('base64url'));
        expect(runCrypto('verify', key, { alg, digest: b64(message), value })).toEqual({ value: true });
      }),
    );
  });
});

describe('an unmodified CryptographyClient', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startHsm();
  });
  afterAll(() => bench.hsm.stop());

  test('wraps, unwraps, signs and verifies with a key identifier, with and without a version', async () => {
    const key = await bench.client().createRsaKey('rsa', { keySize: 2048 });
    for (const id of [key.id ?? '', `${bench.hsm.uri}/keys/rsa`]) {
      const client = bench.cryptography(id);
      const secret = randomBytes(32);
      const { result } = await client.wrapKey('RSA-OAEP-256', secret);
      expect(Buffer.from((await client.unwrapKey('RSA-OAEP-256', result)).result)).toEqual(secret);
      for (const alg of ['RS256', 'PS512'] satisfies SignatureAlgorithm[]) {
        const hash = digest(alg, secret);
        const { result: signature } = await client.sign(alg, hash);
        expect((await client.verify(alg, hash, signature)).result).toBe(true);
      }
    }
    expect(bench.rows.at(-1)).toMatchObject({ operationName: 'KeyVerify', algorithm: 'PS512', id: key.id });
  });

  test('encrypts and decrypts with AES-GCM and EC keys sign', async () => {
    const client = bench.client();
    const aes = bench.cryptography((await client.createOctKey('aes', { keySize: 256 })).id ?? '');
    const sealed = await aes.encrypt({
      algorithm: 'A256GCM',
      plaintext: Buffer.from('text'),
      additionalAuthenticatedData: Buffer.from('more'),
    });
    const opened = await aes.decrypt({
      algorithm: 'A256GCM',
      ciphertext: sealed.result,
      iv: sealed.iv ?? new Uint8Array(),
      authenticationTag: sealed.authenticationTag ?? new Uint8Array(),
      additionalAuthenticatedData: Buffer.from('more'),
    });
    expect(Buffer.from(opened.result).toString()).toBe('text');
    const ec = bench.cryptography((await client.createEcKey('ec', { curve: 'P-256K' })).id ?? '');
    const { result } = await ec.signData('ES256K', Buffer.from('text'));
    expect((await ec.verifyData('ES256K', Buffer.from('text'), result)).result).toBe(true);
  });

  test('is refused an operation outside key_ops, and every operation of a disabled version', async () => {
    const client = bench.client();
    const key = await client.createEcKey('bound', { keyOps: ['verify'] });
    const hash = digest('ES256', randomBytes(8));
    const signing = { body: { alg: 'ES256', value: b64(hash) } };
    const forbidden = await bench.send('POST', `/keys/bound/${key.properties.version}/sign`, signing);
    expect(forbidden.status).toBe(403);
    expect(forbidden.body.error).toMatchObject({
      code: 'Forbidden',
      message: expect.stringContaining('Operation sign is not permitted on this key'),
      innererror: { code: 'KeyOperationForbidden' },
    });
    await client.updateKeyProperties('bound', { enabled: false });
    const refused = await bench.send('POST', '/keys/bound/verify', {
      body: { alg: 'ES256', digest: b64(hash), value: b64(randomBytes(64)) },
    });
    expect(refused.status).toBe(403);
    expect(refused.body.error?.message).toContain('Operation verify is not allowed on a disabled key.');
  });

  test('may still decrypt, unwrap and verify outside the window of a key, and nothing else', async () => {
    const client = bench.client();
    const past = new Date(Date.now() - 86_400_000);
    await client.createOctKey('old', { keySize: 256 });
    const { body } = await bench.send('POST', '/keys/old/wrapkey', {
      body: { alg: 'A256KW', value: b64(randomBytes(16)) },
    });
    await client.updateKeyProperties('old', { expiresOn: past });
    const sent = { alg: 'A256KW', value: body.value };
    expect((await bench.send('POST', '/keys/old/unwrapkey', { body: sent })).status).toBe(200);
    expect((await bench.send('POST', '/keys/old/wrapkey', { body: sent })).status).toBe(403);
    await bench.send('PATCH', '/keys/old', { body: { attributes: { exp: 4e9, nbf: 3.9e9 } } });
    expect((await bench.send('POST', '/keys/old/unwrapkey', { body: sent })).status).toBe(200);
    expect((await bench.send('POST', '/keys/old/wrapkey', { body: sent })).status).toBe(403);
  });
});
