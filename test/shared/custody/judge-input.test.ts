import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import 'reflect-metadata';
import { X509CertificateGenerator } from '@peculiar/x509';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { judgeCustodyInput } from '../../../shared/custody/judge-input.ts';
import { foldCustody } from '../../../shared/custody/ledger.ts';
import { privateMaterialIn } from '../../../shared/custody/private-material.ts';
import { NOW } from '../backup/builders.ts';
import { aLedger, FINGERPRINTS, fact } from './builders.ts';

const custody = foldCustody('sd-1', aLedger());
const judge = (input: unknown) => judgeCustodyInput(input, custody, NOW);
const [first] = FINGERPRINTS as [string];
const sighted = fact({ kind: 'ShareSighted', certificate: first, place: 'Berlin' }, 1);
const withPlace = (place: string) => ({ ...sighted, place });

const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const der = (key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'sec1') =>
  key.export({ type, format: 'der' } as { type: 'pkcs8'; format: 'der' });
const sealed = rsa.privateKey
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
  .toString();
const body = (pem: string) => pem.replace(/-----[^-]*-----/g, '');
/** The start of a PKCS#12 store, as openssl writes it. */
const STORE = 'MIIKQgIBAzCCCggGCSqGSIb3DQEHAaCCCfkEggn1MIIJ8TCCBGcGCSqGSIb3DQEHBqCCBFgwggRUAgEAMIIETQYJKoZI';

describe('private key material', () => {
  it.each<[string, string]>([
    ['PKCS#8 in PEM', rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['PKCS#1 in PEM', rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()],
    ['an encrypted key', sealed],
    ['an encrypted key without its frame', body(sealed)],
    ['PKCS#8 without its frame', der(rsa.privateKey, 'pkcs8').toString('base64')],
    ['PKCS#1 in base64url', der(rsa.privateKey, 'pkcs1').toString('base64url')],
    ['an EC key in base64', der(ec.privateKey, 'sec1').toString('base64')],
    ['an Ed25519 key in base64', der(ed.privateKey, 'pkcs8').toString('base64')],
    ['a key in hex', der(rsa.privateKey, 'pkcs8').toString('hex')],
    [
      'a key in hex with colons',
      der(rsa.privateKey, 'pkcs8')
        .toString('hex')
        .replace(/..(?=.)/g, '$&:'),
    ],
    ['raw bytes', der(ec.privateKey, 'pkcs8').toString('latin1')],
    ['a key cut into words', der(rsa.privateKey, 'pkcs8').toString('base64').replace(/.{5}/g, '$& ')],
    ['a key between other words', `my key is ${der(ec.privateKey, 'pkcs8').toString('base64')}, keep it`],
    ['PEM in base64 again', Buffer.from(sealed).toString('base64')],
    ['PEM with escaped line ends', JSON.stringify(rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }))],
    ['PEM with blanks in its frame', '-----BEGIN RSA PRIVATE  KEY-----'],
    ['PEM with an invisible character', '-----BEGIN PRI\u200bVATE KEY-----'],
    ['a private JWK', JSON.stringify(rsa.privateKey.export({ format: 'jwk' }))],
    ['a symmetric JWK', JSON.stringify({ kty: 'oct', k: Buffer.alloc(32, 7).toString('base64url') })],
    ['an OpenSSH key', `b3BlbnNzaC1rZXktdjEAAAAABG5vbmU${'A'.repeat(40)}`],
    ['a PKCS#12 store', STORE],
    ['a security-domain file', '{"EncData":{"data":[]},"SharedKeys":{}}'],
  ])('is recognised as %s', (_title, text) => {
    expect(privateMaterialIn(text)).toBeDefined();
  });

  let certificate = '';
  beforeAll(async () => {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const made = await X509CertificateGenerator.createSelfSigned({
      name: 'CN=custodian',
      keys,
      signingAlgorithm: algorithm,
    });
    certificate = made.toString('pem');
  });

  it('lets public certificates, public keys and ordinary words pass', () => {
    const publicKeys = [rsa.publicKey, ec.publicKey].map((key) =>
      key.export({ type: 'spki', format: 'pem' }).toString(),
    );
    const others = [
      rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      JSON.stringify(rsa.publicKey.export({ format: 'jwk' })),
      'Safe 12 in the MII building, Berlin',
      first,
    ];
    for (const text of [certificate, body(certificate), ...publicKeys, ...others])
      expect(privateMaterialIn(text), text).toBeUndefined();
  });

  it('is found however it is wrapped and whatever stands around it', () => {
    const encoded = der(ec.privateKey, 'pkcs8').toString('base64');
    const around = fc.stringMatching(/^[a-z .:;#-]{0,20}$/);
    fc.assert(
      fc.property(around, around, fc.integer({ min: 16, max: 90 }), (before, after, width) => {
        const wrapped = encoded.replace(new RegExp(`.{${width}}`, 'g'), '$&\n');
        expect(privateMaterialIn(`${before}: ${wrapped}\n${after}`)).toBe('PrivateKey');
      }),
    );
  });

  it('is looked for in any text without fail', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: 'binary' })),
        (text) => void privateMaterialIn(text),
      ),
    );
  });
});

describe('judgeCustodyInput', () => {
  it('accepts a fact as it is', () => {
    expect(judge(sighted)).toEqual({ kind: 'accepted', fact: sighted, warnings: [] });
  });

  it('refuses a private key in whatever field, names the field, and repeats nothing of it', () => {
    const pem = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    for (const [input, field] of [
      [withPlace(pem), 'place'],
      [{ ...sighted, to: { name: 'Ada', place: pem } }, 'to.place'],
      [{ ...sighted, extra: [1, { deep: pem }] }, 'extra.1.deep'],
      [{ ...sighted, jwk: { ...rsa.privateKey.export({ format: 'jwk' }), key_ops: ['sign'] } }, 'jwk'],
      [{ ...sighted, file: der(ec.privateKey, 'pkcs8').toJSON() }, 'file.data'],
      [pem, ''],
    ] as const) {
      const judged = judge(input);
      expect(judged).toMatchObject({ kind: 'refused', reason: 'PrivateMaterial', field, secret: 'PrivateKey' });
      expect(JSON.stringify(judged)).not.toContain(pem.slice(40, 60));
    }
  });

  it.each<[string, unknown, string[]]>([
    ['no object', 'x', ['']],
    ['an unknown kind', { ...sighted, kind: 'ShareStolen' }, ['kind']],
    ['a kind named like a method', { ...sighted, kind: 'constructor' }, ['kind']],
    [
      'missing fields, all at once',
      { kind: 'ShareLost' },
      ['id', 'securityDomain', 'at', 'by', 'certificate', 'reason'],
    ],
    ['a field that is none', { ...sighted, colour: 'red' }, ['colour']],
    ['a day for an instant', { ...sighted, at: '2030-01-01' }, ['at']],
    ['the future', { ...sighted, at: '2030-01-16T00:00:00Z' }, ['at']],
    ['a fingerprint that is none', { ...sighted, certificate: 'AB:CD' }, ['certificate']],
    ['a share of another domain', { ...sighted, certificate: 'e'.repeat(64) }, ['certificate']],
    ['a text without end', withPlace('x'.repeat(513)), ['place']],
    [
      'a quorum of one',
      fact({ kind: 'SecurityDomainRecorded', hsms: ['a'], quorum: 1, certificates: FINGERPRINTS }),
      ['quorum'],
    ],
    [
      'a quorum beyond the shares',
      fact({ kind: 'SecurityDomainRecorded', hsms: ['a'], quorum: 4, certificates: FINGERPRINTS }),
      ['quorum'],
    ],
    [
      'the same certificate twice',
      fact({ kind: 'SecurityDomainRecorded', hsms: ['a'], quorum: 2, certificates: [first, first, first] }),
      ['certificates'],
    ],
    [
      'a hand-over by somebody else',
      fact({ kind: 'ShareHandedOver', certificate: first, from: 'Bob', to: { name: 'Eve', place: 'Bonn' } }, 1),
      ['from'],
    ],
    [
      'a custodian without a place',
      { ...fact({ kind: 'ShareHandedOver', certificate: first, to: { name: 'Eve', place: '' } }, 1) },
      ['to.place'],
    ],
    [
      'something that nobody asked for',
      fact({ kind: 'ShareHandedOver', certificate: first, to: { name: 'Eve', place: 'Bonn', ...{ pin: '1' } } }, 1),
      ['to.pin'],
    ],
    ['a copy that nobody stored', fact({ kind: 'FileSighted', copy: 'copy-9' }, 1), ['copy']],
  ])('refuses %s by its field', (_title, input, fields) => {
    const judged = judge(input);
    expect(judged).toMatchObject({ kind: 'refused', reason: 'Malformed' });
    if (judged.kind === 'refused' && judged.reason === 'Malformed')
      expect(judged.faults.map(({ field }) => field)).toEqual(fields);
  });

  it('warns of shares that come too near to each other', () => {
    const judged = judge(
      fact({ kind: 'ShareHandedOver', certificate: first, to: { name: 'bob', place: 'hamburg' } }, 1),
    );
    expect(judged).toMatchObject({
      kind: 'accepted',
      warnings: [
        expect.stringContaining('another share'),
        expect.stringContaining('separate places'),
        expect.stringContaining('witness'),
      ],
    });
  });

  it('never throws, whatever it is given', () => {
    const nearly = fc.record({
      kind: fc.constantFrom('ShareSighted', 'CertificateRegistered', 'Reviewed'),
      certificate: fc.anything(),
      at: fc.anything(),
    });
    fc.assert(fc.property(fc.oneof(fc.anything(), nearly), (input) => void judge(input)));
  });
});
