/** A version under test: the one just made, or the one before it. */
export type ProofSubject = 'new' | 'old';

export type ProofOperation = 'wrapKey' | 'unwrapKey' | 'encrypt' | 'decrypt' | 'sign' | 'verify';

export type DigestName = 'SHA-256' | 'SHA-384' | 'SHA-512';

/** One call to make. Checks come in an order in which each finds its input ready. */
export interface ProofCheck {
  /** `new.wrapKey`, unique in its plan. */
  id: string;
  subject: ProofSubject;
  version: string;
  operation: ProofOperation;
  /** As the service names it. */
  algorithm: string;
  /** sign and verify: how the message is reduced first. */
  digest?: DigestName;
  /** Fresh random bytes, what an earlier check made, or what was kept while the old version was new. */
  input: { from: 'fresh' } | { from: 'check'; id: string } | { from: 'sentinel' };
  /** Bytes that another check uses; the plaintext that went in, by SHA-256; or a signature found valid. */
  expect: 'material' | 'samePlaintext' | 'validSignature';
}

export type UnprovableReason =
  /** Its permitted operations contain no pair that could be tried. */
  | 'NoProvableOperation'
  | 'Disabled'
  | 'NotYetValid'
  /** Expired, so it makes nothing any more, and nothing that it made was kept. */
  | 'ExpiredWithoutSentinel';

export interface Unprovable {
  subject: ProofSubject;
  version: string;
  reason: UnprovableReason;
  explanation: string;
}

export interface ProofPlan {
  checks: ProofCheck[];
  unprovable: Unprovable[];
}

/**
 * What one version once made, kept to show later that it still opens: never the plaintext, only its SHA-256. Binary members
 * are base64url.
 */
export type Sentinel = { version: string; algorithm: string /** ISO instant. */; madeOn: string } & (
  | { operation: 'wrapKey'; ciphertext: string; plaintextSha256: string }
  | { operation: 'encrypt'; ciphertext: string; iv?: string; tag?: string; plaintextSha256: string }
  | { operation: 'sign'; digest: string; signature: string }
);
