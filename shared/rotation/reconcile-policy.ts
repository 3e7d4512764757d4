import { type HsmRotationPolicy, SHORTEST_POLICY_DAYS } from '../keys/key.ts';
import { ruleFaults } from '../policy/check-rule.ts';
import type { RotationRule } from '../policy/rule.ts';
import { durationInDays, parseDuration, sameDuration, subtractDuration } from '../time.ts';
import type { Refusal } from './decision.ts';

export interface PolicyDifference {
  attribute: 'expiryTime' | 'rotateAfterCreate' | 'rotateBeforeExpiry';
  expected: string | undefined;
  found: string | undefined;
}

export type PolicyComparison =
  | { kind: 'inStep' }
  | { kind: 'drifted'; differences: PolicyDifference[]; action: RotationRule['drift'] }
  | Refusal;

/** The rotation policy that the HSM must hold for a key under this rule: the life of a new version, and the backstop if any. */
export const expectedHsmPolicy = (rule: RotationRule): HsmRotationPolicy => ({
  expiryTime: rule.validity,
  ...(rule.backstop === undefined ? {} : { rotateBeforeExpiry: rule.backstop }),
});

/**
 * What may be written while the current version still stands. A backstop whose time has come would make the HSM rotate at
 * once, behind the back of a rotation that is about to be proven, so it is written only after that.
 */
export function policyBeforeRotation(rule: RotationRule, expiresOn: string | undefined, now: Date): HsmRotationPolicy {
  const { rotateBeforeExpiry, ...rest } = expectedHsmPolicy(rule);
  const fires =
    rotateBeforeExpiry !== undefined &&
    expiresOn !== undefined &&
    subtractDuration(new Date(expiresOn), rotateBeforeExpiry) <= now;
  return fires || rotateBeforeExpiry === undefined ? rest : { ...rest, rotateBeforeExpiry };
}

const ATTRIBUTES = ['expiryTime', 'rotateAfterCreate', 'rotateBeforeExpiry'] as const;

/**
 * Compares what the HSM holds with what the rule asks for. Durations are equal when they always reach the same instant:
 * P1Y and P12M are, P1Y and P365D are not. Refuses when the rule itself cannot be written or cannot last.
 */
export function comparePolicy(rule: RotationRule, found: HsmRotationPolicy | undefined): PolicyComparison {
  const refusal = refuseRule(rule);
  if (refusal !== undefined) return refusal;
  const expected = expectedHsmPolicy(rule);
  const differences = ATTRIBUTES.flatMap((attribute): PolicyDifference[] => {
    const [wanted, got] = [expected[attribute], found?.[attribute]];
    return equal(wanted, got) ? [] : [{ attribute, expected: wanted, found: got }];
  });
  return differences.length === 0 ? { kind: 'inStep' } : { kind: 'drifted', differences, action: rule.drift };
}

/** Refuses a rule that contradicts itself: the document is free of that, but a tag may join a class and a pattern badly. */
export function refuseRule(rule: RotationRule): Refusal | undefined {
  const fault = ruleFaults(rule)[0];
  if (fault === undefined) return undefined;
  return {
    kind: 'refused',
    reason: fault.kind === 'Cadence' ? 'CadenceCannotLast' : 'RotationPolicyOutOfLimits',
    explanation: `The rule of this key contradicts itself: ${fault.field} ${fault.rule}, but is ${fault.got}.`,
    nextStep: `Correct ${fault.field} in the policy document or the key's tags, for instance to ${fault.example}.`,
  };
}

/**
 * Refuses a policy on the HSM under which a rotation would do harm: without one the HSM refuses to rotate, and one whose
 * versions are due at birth would spend the 100 versions one sweep after another.
 */
export function refuseHsmPolicy(rule: RotationRule, found: HsmRotationPolicy | undefined): Refusal | undefined {
  const repair = `Set the rotation policy of the key to expiryTime ${rule.validity}, or let the rule repair it (drift: repair).`;
  // A policy that was removed is answered as an empty one.
  if (found === undefined || Object.values(found).every((value) => value === undefined)) {
    const explanation = 'The HSM holds no rotation policy for this key, and rotates no key without one.';
    return { kind: 'refused', reason: 'RotationPolicyMissing', explanation, nextStep: repair };
  }
  const fault = expiryFault(rule, found.expiryTime);
  if (fault === undefined) return undefined;
  const explanation = `The rotation policy that the HSM holds for this key ${fault}.`;
  return { kind: 'refused', reason: 'RotationPolicyOutOfLimits', explanation, nextStep: repair };
}

function expiryFault(rule: RotationRule, expiryTime: string | undefined): string | undefined {
  if (expiryTime === undefined) return 'sets no expiryTime, so a new version would never expire';
  if (parseDuration(expiryTime) === undefined) return `sets an expiryTime that is no duration: ${expiryTime}`;
  const days = durationInDays(expiryTime);
  if (days < SHORTEST_POLICY_DAYS) return `sets expiryTime ${expiryTime}, less than ${SHORTEST_POLICY_DAYS} days`;
  if (days > durationInDays(rule.before)) return undefined;
  return `sets expiryTime ${expiryTime}, so a new version would be due at once (${rule.before} before expiry)`;
}

function equal(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  // The HSM's answer is foreign text: one that is no duration equals nothing but itself.
  if (parseDuration(a) === undefined || parseDuration(b) === undefined) return a === b;
  return sameDuration(a, b);
}
