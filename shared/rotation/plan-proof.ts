import type { KeyFacts, KeyOperation } from '../keys/key.ts';
import type {
  DigestName,
  ProofCheck,
  ProofOperation,
  ProofPlan,
  ProofSubject,
  Sentinel,
  Unprovable,
  UnprovableReason,
} from './proof.ts';

/** Two operations that undo or confirm one another. */
interface Pair {
  make: 'wrapKey' | 'encrypt' | 'sign';
  check: 'unwrapKey' | 'decrypt' | 'verify';
  algorithm: string;
  digest?: DigestName;
}

/**
 * How to prove a rotation: the new version does everything that it permits, and the old one still opens, or verifies, what it
 * made. The old version is tried on material that it made long ago (the sentinel) or, while it may still make any, on material
 * made now: outside its validity it unwraps, decrypts and verifies, but wraps, encrypts and signs nothing.
 */
export function planProof(
  fresh: KeyFacts,
  old: KeyFacts | undefined,
  sentinel: Sentinel | undefined,
  now: Date,
): ProofPlan {
  const parts = [proveNew(fresh, now)];
  if (old !== undefined) parts.push(proveOld(old, sentinel?.version === old.version ? sentinel : undefined, now));
  return { checks: parts.flatMap((part) => part.checks), unprovable: parts.flatMap((part) => part.unprovable) };
}

export type SentinelPlan =
  | { kind: 'keep'; operation: Pair['make']; algorithm: string; digest?: DigestName }
  | { kind: 'skip'; reason: UnprovableReason; explanation: string };

/** What to let a version make now, so that it can be proven after it has been replaced or has expired. */
export function planSentinel(facts: KeyFacts, now: Date): SentinelPlan {
  const obstacle = cannotMake(facts, now);
  if (obstacle !== undefined) return { kind: 'skip', ...obstacle };
  const [pair] = pairsOf(facts);
  if (pair === undefined) return { kind: 'skip', ...noPair(facts) };
  const { make, algorithm, digest } = pair;
  return { kind: 'keep', operation: make, algorithm, ...(digest === undefined ? {} : { digest }) };
}

function proveNew(facts: KeyFacts, now: Date): ProofPlan {
  const obstacle = cannotMake(facts, now);
  if (obstacle !== undefined) return unprovable('new', facts, obstacle);
  const pairs = pairsOf(facts);
  if (pairs.length === 0) return unprovable('new', facts, noPair(facts));
  return { checks: pairs.flatMap((pair) => roundTrip('new', facts.version, pair)), unprovable: [] };
}

function proveOld(facts: KeyFacts, sentinel: Sentinel | undefined, now: Date): ProofPlan {
  if (!facts.enabled) return unprovable('old', facts, disabled(facts));
  const pairs = pairsOf(facts);
  const [pair] = pairs;
  if (pair === undefined) return unprovable('old', facts, noPair(facts));
  const kept = pairs.find(({ make }) => make === sentinel?.operation);
  if (sentinel !== undefined && kept !== undefined) {
    const reverse = { ...kept, algorithm: sentinel.algorithm };
    return { checks: [checking('old', facts.version, reverse, { from: 'sentinel' })], unprovable: [] };
  }
  const obstacle = cannotMake(facts, now);
  if (obstacle !== undefined) return unprovable('old', facts, obstacle);
  return { checks: roundTrip('old', facts.version, pair), unprovable: [] };
}

function roundTrip(subject: ProofSubject, version: string, pair: Pair): ProofCheck[] {
  const id = `${subject}.${pair.make}`;
  const { make, algorithm, digest } = pair;
  const made: ProofCheck = {
    id,
    subject,
    version,
    operation: make,
    algorithm,
    ...(digest === undefined ? {} : { digest }),
    input: { from: 'fresh' },
    expect: 'material',
  };
  return [made, checking(subject, version, pair, { from: 'check', id })];
}

function checking(subject: ProofSubject, version: string, pair: Pair, input: ProofCheck['input']): ProofCheck {
  const { check, algorithm, digest } = pair;
  return {
    id: `${subject}.${check}`,
    subject,
    version,
    operation: check,
    algorithm,
    ...(digest === undefined ? {} : { digest }),
    input,
    expect: check === 'verify' ? 'validSignature' : 'samePlaintext',
  };
}

/** The pairs that a key permits whole, the one that protects data for longest first. */
function pairsOf(facts: KeyFacts): Pair[] {
  const permits = (operation: ProofOperation) => facts.keyOps.includes(operation satisfies KeyOperation);
  return candidates(facts).filter(({ make, check }) => permits(make) && permits(check));
}

/** Algorithms by key type. https://learn.microsoft.com/azure/key-vault/keys/about-keys-details */
function candidates({ keyType, keySize, curve }: KeyFacts): Pair[] {
  switch (keyType) {
    case 'RSA-HSM':
      return [
        { make: 'wrapKey', check: 'unwrapKey', algorithm: 'RSA-OAEP-256' },
        { make: 'encrypt', check: 'decrypt', algorithm: 'RSA-OAEP-256' },
        { make: 'sign', check: 'verify', algorithm: 'PS256', digest: 'SHA-256' },
      ];
    case 'oct-HSM':
      // Older API versions do not tell the size of an oct key, and the algorithm's name depends on it.
      if (keySize === undefined) return [];
      return [
        { make: 'wrapKey', check: 'unwrapKey', algorithm: `A${keySize}KW` },
        { make: 'encrypt', check: 'decrypt', algorithm: `A${keySize}GCM` },
      ];
    case 'EC-HSM': {
      const found = CURVES.get(curve ?? '');
      return found === undefined ? [] : [{ make: 'sign', check: 'verify', ...found }];
    }
  }
}

const CURVES: ReadonlyMap<string, { algorithm: string; digest: DigestName }> = new Map([
  ['P-256', { algorithm: 'ES256', digest: 'SHA-256' }],
  ['P-256K', { algorithm: 'ES256K', digest: 'SHA-256' }],
  ['P-384', { algorithm: 'ES384', digest: 'SHA-384' }],
  ['P-521', { algorithm: 'ES512', digest: 'SHA-512' }],
]);

type Obstacle = Pick<Unprovable, 'reason' | 'explanation'>;

/** Why the service would refuse wrap, encrypt and sign: disabled, or outside the validity. */
function cannotMake(facts: KeyFacts, now: Date): Obstacle | undefined {
  if (!facts.enabled) return disabled(facts);
  if (facts.notBefore !== undefined && Date.parse(facts.notBefore) > now.getTime()) {
    return { reason: 'NotYetValid', explanation: `Version ${facts.version} is valid from ${facts.notBefore} on only.` };
  }
  if (facts.expiresOn === undefined || Date.parse(facts.expiresOn) > now.getTime()) return undefined;
  return {
    reason: 'ExpiredWithoutSentinel',
    explanation: `Version ${facts.version} expired on ${facts.expiresOn}, so it makes nothing to try, and nothing it made was kept.`,
  };
}

const disabled = (facts: KeyFacts): Obstacle => ({
  reason: 'Disabled',
  explanation: `Version ${facts.version} is disabled, and a disabled version does nothing.`,
});

const noPair = (facts: KeyFacts): Obstacle => ({
  reason: 'NoProvableOperation',
  explanation: `Version ${facts.version} (${facts.keyType}) permits ${facts.keyOps.join(', ') || 'nothing'}, no pair of which can be tried.`,
});

const unprovable = (subject: ProofSubject, { version }: KeyFacts, obstacle: Obstacle): ProofPlan => ({
  checks: [],
  unprovable: [{ subject, version, ...obstacle }],
});
