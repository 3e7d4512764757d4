import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const ALGORITHM = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
} as const;

export interface RsaCertificate {
  certificatePem: string;
  /** PKCS #8. */
  privateKeyPem: string;
}

/** An RSA key pair with a self-signed certificate. */
export async function createRsaCertificate(options: {
  commonName: string;
  notBefore: Date;
  notAfter: Date;
  /** Default 2048. */
  bits?: number;
}): Promise<RsaCertificate> {
  const { commonName, notBefore, notAfter, bits = 2048 } = options;
  const keys = (await webcrypto.subtle.generateKey({ ...ALGORITHM, modulusLength: bits }, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${commonName}`,
    ...{ notBefore, notAfter, keys, signingAlgorithm: ALGORITHM },
    extensions: [new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyEncipherment, true)],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { certificatePem: certificate.toString('pem'), privateKeyPem: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') };
}
