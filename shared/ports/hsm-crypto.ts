import type { KeyRef } from '../keys/key.ts';

export interface Ciphertext {
  value: Uint8Array;
  /** AES-GCM only. */
  iv?: Uint8Array;
  tag?: Uint8Array;
}

/** Cryptographic operations inside the HSM on one version of a key. Throws as HsmKeys does. Algorithm names are the service's. */
export interface HsmCrypto {
  wrap(key: KeyRef, version: string, algorithm: string, secret: Uint8Array): Promise<Uint8Array>;
  unwrap(key: KeyRef, version: string, algorithm: string, wrapped: Uint8Array): Promise<Uint8Array>;
  encrypt(key: KeyRef, version: string, algorithm: string, plaintext: Uint8Array): Promise<Ciphertext>;
  decrypt(key: KeyRef, version: string, algorithm: string, ciphertext: Ciphertext): Promise<Uint8Array>;
  sign(key: KeyRef, version: string, algorithm: string, digest: Uint8Array): Promise<Uint8Array>;
  verify(key: KeyRef, version: string, algorithm: string, digest: Uint8Array, signature: Uint8Array): Promise<boolean>;
  /** Random bytes and SHA-2 digests for proofs; here so that decisions need no crypto of their own. */
  randomBytes(count: number): Uint8Array;
  digest(algorithm: 'SHA-256' | 'SHA-384' | 'SHA-512', data: Uint8Array): Uint8Array;
}
