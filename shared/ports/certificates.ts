import type { WrappingKey } from './security-domain.ts';

/** The public facts of one certificate. */
export interface CertificateFacts {
  /** RFC 2253 order, on one line. */
  subject: string;
  issuer: string;
  serialNumber: string;
  /** SHA-256 over the DER form, hex. */
  thumbprint: string;
  /** ISO instants. */
  notBefore: string;
  notAfter: string;
  keyType: string;
  /** RSA keys only. */
  keyBits?: number;
  /** The certificate itself, PEM. */
  pem: string;
  /** What the security domain is wrapped with; RSA keys only. */
  wrappingKey?: WrappingKey;
}

export type CertificateReading =
  | { kind: 'certificates'; certificates: CertificateFacts[] }
  /** Private key material, in whatever wrapping: must be kept nowhere, not even in a log. */
  | { kind: 'privateKey' }
  /** Neither: only PEM or DER certificates are taken. */
  | { kind: 'unreadable'; reason: string };

/** Reads what a person hands in as wrapping certificates. Never throws on content. */
export interface Certificates {
  read(file: Uint8Array): CertificateReading;
}
