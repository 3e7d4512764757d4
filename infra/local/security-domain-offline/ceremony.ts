import { createPublicKey, X509Certificate } from 'node:crypto';
import { createRsaCertificate, type RsaCertificate } from '../managed-hsm/security-domain/rsa-certificate.ts';

/** One holder's wrapping key: the certificate goes to the HSM, the private key stays with the holder. */
export interface HolderKey extends RsaCertificate {
  holder: string;
}

const DAY_MS = 86_400_000;

/** A key ceremony: one wrapping key for each holder. Certificates are valid from a day before `now` on. */
export const holdCeremony = (
  holders: readonly string[],
  { now, validDays = 365, bits = 2048 }: { now: Date; validDays?: number; bits?: number },
): Promise<HolderKey[]> =>
  Promise.all(
    holders.map(async (holder) => ({
      holder,
      ...(await createRsaCertificate({
        commonName: holder,
        notBefore: new Date(now.getTime() - DAY_MS),
        notAfter: new Date(now.getTime() + validDays * DAY_MS),
        bits,
      })),
    })),
  );

/** The body of POST /securitydomain/download. Members as in the example of Azure/azure-rest-api-specs. */
export const downloadRequest = (certificatesPem: readonly string[], required: number) => ({
  certificates: certificatesPem.map((pem, index) => wrappingKeyJwk(pem, `id${index + 1}`)),
  required,
});

function wrappingKeyJwk(pem: string, kid: string): Record<string, unknown> {
  const certificate = new X509Certificate(pem);
  const { n, e } = createPublicKey(pem).export({ format: 'jwk' });
  const thumbprint = (text: string) => Buffer.from(text.replaceAll(':', ''), 'hex').toString('base64url');
  return {
    ...{ kid, kty: 'RSA', key_ops: ['verify', 'encrypt', 'wrapKey'], alg: 'RSA-OAEP-256', n, e },
    x5c: [certificate.raw.toString('base64')],
    x5t: thumbprint(certificate.fingerprint),
    'x5t#S256': thumbprint(certificate.fingerprint256),
  };
}
