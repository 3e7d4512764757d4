import 'reflect-metadata';
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import { deflateSync, gzipSync } from 'node:zlib';
import * as x509 from '@peculiar/x509';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { createCertificates } from '../../../shared/adapters/certificates.ts';

const { read } = createCertificates();
const readText = (text: string) => read(Buffer.from(text, 'utf8'));

let pem: string;
let ecPem: string;

beforeAll(async () => {
  x509.cryptoProvider.set(crypto);
  pem = await certify('CN=Ada Holder, O=Contoso', {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
  });
  ecPem = await certify('CN=Grace Holder', { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' });
});

type Algorithm = { name: string; hash: string } & (
  | { namedCurve: string }
  | { modulusLength: number; publicExponent: Uint8Array }
);

async function certify(name: string, algorithm: Algorithm) {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '0a1b',
    name,
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2029-01-01T00:00:00Z'),
    signingAlgorithm: algorithm,
    keys,
  });
  return certificate.toString('pem');
}

describe('a wrapping certificate', () => {
  test('is read with its holder, its dates, its key and its thumbprint', () => {
    const { raw } = new X509Certificate(pem);
    expect(readText(pem)).toEqual({
      kind: 'certificates',
      certificates: [
        {
          subject: 'O=Contoso, CN=Ada Holder',
          issuer: 'O=Contoso, CN=Ada Holder',
          serialNumber: '0a1b',
          thumbprint: new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase(),
          notBefore: '2026-01-01T00:00:00.000Z',
          notAfter: '2029-01-01T00:00:00.000Z',
          keyType: 'RSA',
          keyBits: 2048,
          pem: expect.stringContaining('BEGIN CERTIFICATE'),
          wrappingKey: expect.objectContaining({ kty: 'RSA', e: 'AQAB', x5c: [raw.toString('base64')] }),
        },
      ],
    });
  });

  test('is read from DER as from PEM, with a byte order mark and with several in one file', () => {
    const { raw } = new X509Certificate(pem);
    const fromPem = readText(pem);
    expect(read(raw)).toEqual(fromPem);
    expect(readText(`\uFEFF${pem}\r\n`)).toEqual(fromPem);
    const both = readText(`${pem}\n${ecPem}`);
    expect(both.kind === 'certificates' && both.certificates.map(({ keyType }) => keyType)).toEqual(['RSA', 'EC']);
  });

  test('that cannot wrap is read without a wrapping key', () => {
    const found = readText(ecPem);
    expect(found.kind === 'certificates' && found.certificates[0]).not.toHaveProperty('wrappingKey');
  });

  test.each([
    ['nothing', ''],
    ['prose', 'These are the certificates that you asked for.'],
    ['prose around a certificate', () => `Dear all,\n${pem}`],
    ['a torn certificate', () => pem.replace(/\n[^\n]{20}/, '\n')],
    ['a public key', () => new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'pem' }).toString()],
    ['bytes behind the certificate', () => withTail(pem)],
    ['a very large file', () => pem.repeat(300)],
  ])('is not seen in %s', (_, text) => {
    expect(readText(typeof text === 'string' ? text : text())).toMatchObject({ kind: 'unreadable' });
  });
});

/** A certificate whose block holds more than the certificate. */
function withTail(text: string): string {
  const body = Buffer.concat([new X509Certificate(text).raw, Buffer.from('more')]).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
}

describe('private key material', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const ed = generateKeyPairSync('ed25519').privateKey;
  const passphrase = { cipher: 'aes-256-cbc', passphrase: 'correct horse' };
  const pemOf = (key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1', extra = {}) =>
    Buffer.from(key.export({ type, format: 'pem', ...extra } as never) as unknown as string);
  const derOf = (key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1', extra = {}) =>
    key.export({ type, format: 'der', ...extra } as never) as unknown as Buffer;
  const jwkOf = (key: KeyObject) => Buffer.from(JSON.stringify(key.export({ format: 'jwk' })));

  const der = (tag: number, ...content: Buffer[]): Buffer => {
    const body = Buffer.concat(content);
    const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
    return Buffer.concat([Buffer.from([tag, ...length]), body]);
  };
  /** Bytes as encrypted ones look: nothing in them repeats. */
  const noise = (length: number) => createHash('shake256', { outputLength: length }).update('noise').digest();
  /** The outer form of PKCS#12: version 3 and a content of type data. */
  const pkcs12 = der(
    0x30,
    der(0x02, Buffer.from([3])),
    der(0x30, Buffer.from('06092a864886f70d010701', 'hex'), der(0xa0, der(0x04, noise(300)))),
  );
  const openSsh = Buffer.concat([Buffer.from('openssh-key-v1\0'), noise(200)]);

  const kinds: Record<string, Buffer> = {
    'PKCS#8 PEM': pemOf(rsa, 'pkcs8'),
    'PKCS#1 PEM': pemOf(rsa, 'pkcs1'),
    'SEC 1 PEM': pemOf(ec, 'sec1'),
    'Ed25519 PEM': pemOf(ed, 'pkcs8'),
    'encrypted PKCS#8 PEM': pemOf(ec, 'pkcs8', passphrase),
    'encrypted PKCS#1 PEM': pemOf(rsa, 'pkcs1', passphrase),
    'PKCS#8 DER': derOf(rsa, 'pkcs8'),
    'PKCS#1 DER': derOf(rsa, 'pkcs1'),
    'SEC 1 DER': derOf(ec, 'sec1'),
    'Ed25519 DER': derOf(ed, 'pkcs8'),
    'encrypted PKCS#8 DER': derOf(rsa, 'pkcs8', passphrase),
    'RSA JWK': jwkOf(rsa),
    'EC JWK': jwkOf(ec),
    'OKP JWK': jwkOf(ed),
    'oct JWK': Buffer.from('{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"}'),
    'PKCS#12': pkcs12,
    'OpenSSH binary': openSsh,
    'OpenSSH PEM': Buffer.from(`-----BEGIN OPENSSH PRIVATE KEY-----\n${openSsh.toString('base64')}\n`),
    'PGP block': Buffer.from('-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQdG\n'),
    PuTTY: Buffer.from('PuTTY-User-Key-File-3: ssh-rsa\nPrivate-Lines: 14\n'),
    'Java key store': Buffer.concat([Buffer.from('feedfeed', 'hex'), noise(60)]),
  };

  const lines = (text: string, width: number) => text.replace(new RegExp(`(.{${width}})`, 'g'), '$1\n');
  const wrappings: Record<string, (inner: Buffer) => Buffer> = {
    base64: (inner) => Buffer.from(inner.toString('base64')),
    'base64 in lines': (inner) => Buffer.from(lines(inner.toString('base64'), 76)),
    base64url: (inner) => Buffer.from(inner.toString('base64url')),
    hex: (inner) => Buffer.from(inner.toString('hex')),
    'hex in lines': (inner) => Buffer.from(lines(inner.toString('hex'), 64)),
    'a member of JSON': (inner) => Buffer.from(JSON.stringify({ file: inner.toString('base64'), note: 'mine' })),
    'JSON text': (inner) => Buffer.from(JSON.stringify({ files: [{ text: inner.toString('latin1') }] })),
    gzip: (inner) => gzipSync(inner),
    zlib: (inner) => deflateSync(inner),
    'UTF-16': (inner) => Buffer.from(inner.toString('base64'), 'utf16le'),
    'percent-encoding': (inner) => Buffer.from(encodeURIComponent(inner.toString('base64'))),
    'a sentence': (inner) => Buffer.from(`this is my key: ${inner.toString('base64')} please keep it`),
    'words without a sign between': (inner) => Buffer.from(`take this one\n${lines(inner.toString('base64'), 64)}`),
    'behind a certificate': (inner) => Buffer.from(`${pem}\n${inner.toString('base64')}`),
    'before a certificate': (inner) => Buffer.from(`${inner.toString('base64')}\n${pem}`),
    'the label of a certificate': (inner) =>
      Buffer.from(`-----BEGIN CERTIFICATE-----\n${lines(inner.toString('base64'), 64)}\n-----END CERTIFICATE-----\n`),
  };

  test.each(Object.entries(kinds))('is refused bare: %s', (_, bytes) => {
    expect(read(bytes)).toEqual({ kind: 'privateKey' });
  });

  test.each(['PKCS#8 PEM', 'RSA JWK', 'PuTTY'])('is refused beside a certificate: %s', (name) => {
    expect(readText(`${pem}\n${kinds[name]}`)).toEqual({ kind: 'privateKey' });
    expect(readText(`${kinds[name]}\n${pem}`)).toEqual({ kind: 'privateKey' });
  });

  test('is refused in every wrapping, and in wrappings within wrappings', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(kinds)),
        fc.array(fc.constantFrom(...Object.keys(wrappings)), { minLength: 1, maxLength: 3 }),
        (kind, around) => {
          const wrapped = around.reduce((inner, name) => wrappings[name]?.(inner) ?? inner, kinds[kind] as Buffer);
          fc.pre(wrapped.length <= 256 * 1024);
          return read(wrapped).kind === 'privateKey';
        },
      ),
      { numRuns: 300 },
    );
  });

  test('is searched for with bounded effort, whatever was packed', () => {
    const packed = ['base64 in lines', 'hex in lines', 'base64 in lines'].reduce<Buffer>(
      (inner, name) => wrappings[name]?.(inner) ?? inner,
      noise(60_000),
    );
    const words = Buffer.from('MIIB '.repeat(50_000));
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    for (const file of [packed, words, bomb]) expect(read(file).kind).not.toBe('certificates');
  });

  test('is not seen in certificates, however many and however wrapped', () => {
    expect(readText(pem.repeat(8)).kind).toBe('certificates');
    expect(readText(pem.replaceAll('\n', '\r\n')).kind).toBe('certificates');
  });

  test('never gets into what is read, nor into a reason', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const found = read(bytes);
        return found.kind !== 'certificates' && !JSON.stringify(found).includes('BEGIN');
      }),
    );
    expect(createPrivateKey(kinds['PKCS#8 PEM'] as Buffer).type).toBe('private');
  });
});
