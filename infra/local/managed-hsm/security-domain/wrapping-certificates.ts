import { createPublicKey, X509Certificate } from 'node:crypto';
import * as z from 'zod';
import { badParameter } from '../errors.ts';
import { type Recipient, thumbprintOf } from './envelope.ts';

const wrappingKey = z.object({
  kid: z.string(),
  kty: z.literal('RSA', { error: 'must be RSA' }),
  key_ops: z.array(z.string()),
  n: z.string(),
  e: z.string(),
  alg: z.string(),
  x5c: z.array(z.string()).min(1),
  'x5t#S256': z.string(),
  use: z.literal('enc').nullish(),
  x5t: z.string().nullish(),
});

/** Bounds: the REST description. */
export const downloadBody = z.object({
  certificates: z
    .array(wrappingKey)
    .min(3, { error: 'there must be at least 3' })
    .max(10, { error: 'there must be at most 10' }),
  required: z.int().min(2).max(10).nullish(),
});

const LEAST_BITS = 2048;

/** Each certificate as one to wrap for. Its dates are of no effect. Throws 400 that names the one at fault; texts: ours. */
export function recipientsOf({ certificates }: z.infer<typeof downloadBody>): Recipient[] {
  const recipients = certificates.map((given) => {
    const fault = (text: string) => badParameter(`Certificate '${given.kid}': ${text}`);
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(Buffer.from(given.x5c[0] ?? '', 'base64'));
    } catch {
      throw fault('x5c is not a certificate.');
    }
    const key = createPublicKey({ key: { kty: 'RSA', n: given.n, e: given.e }, format: 'jwk' });
    if (!certificate.publicKey.equals(key)) throw fault('n and e are not those of the certificate.');
    if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < LEAST_BITS)
      throw fault(`it has less than ${LEAST_BITS} bits.`);
    const thumbprint = thumbprintOf(certificate.raw);
    if (given['x5t#S256'] !== thumbprint) throw fault('x5t#S256 is not that of the certificate.');
    return { key, thumbprint };
  });
  if (new Set(recipients.map(({ thumbprint }) => thumbprint)).size < recipients.length) {
    throw badParameter('The certificates must differ from each other.');
  }
  return recipients;
}
