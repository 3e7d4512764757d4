import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import type { Tls } from './estate.ts';
import { realNow } from './movable-date.ts';

/** A server certificate of the estate's own authority, and where the authority can be read by other processes. */
export interface Certificates extends Tls {
  caFile: string;
}

// Node rejects the wildcard `*.localhost` (it wants two labels after the star), so each name is listed.
const NAMES = [
  'localhost',
  '*.managedhsm.azure.net',
  '*.managedhsm.usgovcloudapi.net',
  '*.managedhsm.azure.cn',
  ...['estate', 'hsm', 'blob', 'queue', 'topic', 'mail', 'webhook', 'logs', 'identity'].map(
    (name) => `${name}.localhost`,
  ),
];
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

/**
 * The certificates kept in `directory`, made on first use: an authority and one server certificate for every name the
 * estate answers to. Both last ten years of real time, because TLS does not follow the estate's clock.
 */
export async function obtainCertificates(directory: string): Promise<Certificates> {
  const files = {
    ca: join(directory, 'ca.pem'),
    cert: join(directory, 'server.pem'),
    key: join(directory, 'server.key'),
  };
  if (!existsSync(files.cert)) {
    const made = await issue();
    await mkdir(directory, { recursive: true });
    await Promise.all([writeFile(files.ca, made.ca), writeFile(files.key, made.key, { mode: 0o600 })]);
    // Last, because its presence says that the set is complete.
    await writeFile(files.cert, made.cert);
    return { ...made, caFile: files.ca };
  }
  const [ca, cert, key] = await Promise.all([files.ca, files.cert, files.key].map((file) => readFile(file, 'utf8')));
  return { ca: ca ?? '', cert: cert ?? '', key: key ?? '', caFile: files.ca };
}

async function issue(): Promise<Tls> {
  const [authorityKeys, serverKeys] = await Promise.all([generateKeys(), generateKeys()]);
  const validity = { notBefore: new Date(realNow() - DAY_MS), notAfter: new Date(realNow() + 3650 * DAY_MS) };
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: 'CN=Embedded estate authority',
    ...validity,
    signingAlgorithm: ALGORITHM,
    keys: authorityKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  });
  const server = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: 'CN=localhost',
    issuer: authority.subject,
    ...validity,
    signingAlgorithm: ALGORITHM,
    publicKey: serverKeys.publicKey,
    signingKey: authorityKeys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...NAMES.map((value) => ({ type: 'dns' as const, value })),
        { type: 'ip' as const, value: '127.0.0.1' },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', serverKeys.privateKey);
  return {
    ca: authority.toString('pem'),
    cert: server.toString('pem'),
    key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
  };
}

const generateKeys = () =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;

const serial = () =>
  Buffer.from(webcrypto.getRandomValues(new Uint8Array(8)))
    .toString('hex')
    .replace(/^[89a-f]/, '1');
