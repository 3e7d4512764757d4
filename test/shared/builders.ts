import { createHash } from 'node:crypto';
import type { KeyFacts } from '../../shared/keys/key.ts';
import { BUILT_IN_ROTATION } from '../../shared/policy/document.ts';
import type { EffectiveRule, Hold, RotationRule } from '../../shared/policy/rule.ts';
import type { RotationInput } from '../../shared/rotation/decide-rotation.ts';

export const NOW = new Date('2030-01-15T12:00:00Z');
export const OLD_VERSION = 'a'.repeat(32);
export const NEW_VERSION = 'b'.repeat(32);

/** A healthy RSA key, a year old in February, with every operation of its type. */
export const aKey = (changes: Partial<KeyFacts> = {}): KeyFacts => ({
  name: 'payments-kek',
  version: OLD_VERSION,
  enabled: true,
  createdOn: '2029-02-01T00:00:00Z',
  updatedOn: '2029-02-01T00:00:00Z',
  expiresOn: '2030-02-01T00:00:00Z',
  tags: {},
  keyType: 'RSA-HSM',
  keySize: 2048,
  keyOps: ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'],
  exportable: false,
  recoveryLevel: 'Recoverable',
  publicFingerprint: '1'.repeat(64),
  ...changes,
});

/** The same key without the named members. */
export function without<T extends object, K extends keyof T>(value: T, ...names: K[]): Omit<T, K> {
  const copy = { ...value };
  for (const name of names) delete copy[name];
  return copy;
}

export const aRotation = (changes: Partial<RotationRule> = {}): RotationRule => ({ ...BUILT_IN_ROTATION, ...changes });

export const anEffectiveRule = (
  rotation: Partial<RotationRule> = {},
  changes: { hold?: Hold; notes?: string[]; origin?: Record<string, string> } = {},
): EffectiveRule => ({
  rule: { rotation: aRotation(rotation), notice: { notify: ['keys@example.org'] } },
  origin: {},
  notes: [],
  policyVersion: 'v1',
  ...changes,
});

/** A request that the sweep makes for a key that is due, with the HSM's own policy in step. */
export const aRequest = (changes: Partial<RotationInput> = {}): RotationInput => ({
  key: { hsm: 'contoso-hsm', name: 'payments-kek' },
  facts: aKey(),
  versionsUsed: 3,
  effective: anEffectiveRule(),
  policyOnHsm: { expiryTime: 'P1Y' },
  cause: { kind: 'Sweep' },
  now: NOW,
  ...changes,
});

export const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');
