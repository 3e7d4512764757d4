import { badParameter } from '../errors.ts';

export type Hash = 'sha256' | 'sha384' | 'sha512';

export const DIGEST_BYTES: Record<Hash, number> = { sha256: 32, sha384: 48, sha512: 64 };

/** The hash that a signature algorithm such as PS384 or ES256K names. */
export const hashOf = (algorithm: string): Hash => `sha${algorithm.slice(2, 5)}` as Hash;

/** The service signs digests, never data, so their length must fit the algorithm. */
export function checkDigest(algorithm: string, digest: Buffer): void {
  const expected = DIGEST_BYTES[hashOf(algorithm)];
  if (digest.length !== expected) {
    throw badParameter(`${algorithm} needs a digest of ${expected} bytes, not ${digest.length}.`);
  }
}
