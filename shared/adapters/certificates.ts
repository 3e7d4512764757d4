import { createHash, X509Certificate } from 'node:crypto';
import type { CertificateFacts, CertificateReading, Certificates } from '../ports/certificates.ts';
import type { WrappingKey } from '../ports/security-domain.ts';
import { elementLength } from './der.ts';
import { holdsPrivateKey } from './private-key-material.ts';

/** Ten certificates take 30 KB; a file far beyond that is not what it was taken for. */
const LARGEST_FILE = 256 * 1024;

const BLOCK = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g;

/**
 * Reads certificates, and nothing else: what is not a certificate from end to end is not taken, so that whatever slips past
 * the search for private keys is not kept either.
 */
export const createCertificates = (): Certificates => ({ read: readCertificates });

function readCertificates(file: Uint8Array): CertificateReading {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length > LARGEST_FILE) return unreadable('it is larger than 256 KB');
  if (holdsPrivateKey(bytes)) return { kind: 'privateKey' };
  const encoded = bytes[0] === 0x30 ? [bytes] : pemBlocks(bytes.toString('utf8'));
  if (encoded === undefined) return unreadable('it holds something beside PEM certificates');
  if (encoded.length === 0) return unreadable('it holds no certificate');
  const certificates: CertificateFacts[] = [];
  for (const der of encoded) {
    const certificate = elementLength(der) === der.length ? parse(der) : undefined;
    if (!certificate) return unreadable('one of its blocks is not a certificate');
    certificates.push(factsOf(certificate));
  }
  return { kind: 'certificates', certificates };
}

/** The blocks of a PEM file; undefined when there is anything else in it but white space. */
function pemBlocks(text: string): Buffer[] | undefined {
  const bodies = [...text.matchAll(BLOCK)].map(([, body = '']) => Buffer.from(body, 'base64'));
  return text.replace(BLOCK, '').replace('\uFEFF', '').trim() === '' ? bodies : undefined;
}

function parse(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    // The caller tells the person that this block is not a certificate.
    return undefined;
  }
}

function factsOf(certificate: X509Certificate): CertificateFacts {
  const { publicKey, raw } = certificate;
  const keyBits = publicKey.asymmetricKeyDetails?.modulusLength;
  const wrappingKey = publicKey.asymmetricKeyType === 'rsa' ? wrappingKeyOf(certificate) : undefined;
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    serialNumber: certificate.serialNumber.toLowerCase(),
    thumbprint: createHash('sha256').update(raw).digest('hex'),
    notBefore: new Date(certificate.validFrom).toISOString(),
    notAfter: new Date(certificate.validTo).toISOString(),
    keyType: (publicKey.asymmetricKeyType ?? 'unknown').toUpperCase(),
    ...(keyBits === undefined ? {} : { keyBits }),
    pem: certificate.toString(),
    ...(wrappingKey ? { wrappingKey } : {}),
  };
}

/** The members that the service asks for. Source: REST description of the security domain, `SecurityDomainJsonWebKey`. */
function wrappingKeyOf({ publicKey, raw }: X509Certificate): WrappingKey {
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const digest = (algorithm: string) => createHash(algorithm).update(raw).digest('base64url');
  return {
    kid: digest('sha256'),
    kty: 'RSA',
    key_ops: ['verify', 'encrypt', 'wrapKey'],
    alg: 'RSA-OAEP-256',
    n,
    e,
    x5c: [raw.toString('base64')],
    x5t: digest('sha1'),
    'x5t#S256': digest('sha256'),
  };
}

/** Node writes one attribute a line, the most general first. */
const oneLine = (name: string): string => name.split('\n').toReversed().join(', ');

const unreadable = (reason: string): CertificateReading => ({ kind: 'unreadable', reason });
