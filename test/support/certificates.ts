import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** A wrapping certificate of RSA-2048 with its private key, PEM both. Valid from 2029 until `notAfter`. */
export async function aWrappingCertificate(holder: string, notAfter = '2032-01-01T00:00:00Z') {
  x509.cryptoProvider.set(crypto);
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
  };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '0a1b',
    name: `CN=${holder}, O=Contoso`,
    notBefore: new Date('2029-01-01T00:00:00Z'),
    notAfter: new Date(notAfter),
    signingAlgorithm: algorithm,
    keys,
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    pem: certificate.toString('pem'),
    fingerprint: Buffer.from(await certificate.getThumbprint('SHA-256')).toString('hex'),
    privatePem: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
    privateDer: Buffer.from(pkcs8),
  };
}
