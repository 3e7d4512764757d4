import type { OrchestrationContext } from 'durable-functions';
import type { KeyRef } from '../../shared/keys/key.ts';
import type { Refusal, RotateReason, RotationCause } from '../../shared/rotation/decision.ts';
import { type Compared, type Inspected, isFailed, type Proof, type RotateKeyOutcome } from '../contracts/outcomes.ts';
import { type Step, steps } from '../steps.ts';
import { publishIfPossible, tell } from './tell.ts';

/** A new version that exists on the HSM, by our act or not, and has yet to count. */
export interface NewVersion {
  key: KeyRef;
  cause: RotationCause;
  seen: Inspected;
  version: string;
  previous?: string;
  by: 'us' | 'hsm';
  reason: RotateReason;
  explanation: string;
  warnings: string[];
}

/** Prove, compare, record, publish, tell: a rotation counts when the new version works and the old one still opens. */
export function* finishVersion(context: OrchestrationContext, made: NewVersion): Step<RotateKeyOutcome> {
  const { carryTags, proveKeyVersion, compareKeyVersion, recordRotation } = steps(context);
  const { key, cause, version, by, seen } = made;
  const instance = context.df.instanceId;
  const { rotation } = seen.effective.rule;
  const previous = made.previous === undefined ? {} : { previous: made.previous };

  const warnings = [...made.warnings];
  if (made.previous !== undefined) {
    const carried = yield* carryTags({ key, instance, cause, version, previous: made.previous });
    if (isFailed(carried)) warnings.push(`The tags were not carried over. ${carried.message} ${carried.nextStep}`);
  }
  context.df.setCustomStatus('comparing');
  const validity = (made.by === 'hsm' ? seen.hsmPolicy?.expiryTime : undefined) ?? rotation.validity;
  const compared = yield* compareKeyVersion({ key, version, validity, ...previous });
  if (isFailed(compared)) {
    yield* tell(context, key, { kind: 'failed', version, failed: compared, seen });
    return compared;
  }
  context.df.setCustomStatus('proving');
  const proof = yield* proveKeyVersion({ key, instance, cause, version, proof: rotation.proof, ...previous });
  if (isFailed(proof)) {
    yield* tell(context, key, { kind: 'failed', version, failed: proof, seen });
    return proof;
  }

  const at = context.df.currentUtcDateTime.toISOString();
  const refusal = judge(compared, proof, rotation.proof);
  const recorded = { key, instance, version, by, reason: made.reason, at, ...previous };
  const fact = {
    key,
    version,
    at,
    ...(compared.facts.expiresOn === undefined ? {} : { expiresOn: compared.facts.expiresOn }),
    ...(compared.facts.notBefore === undefined ? {} : { notBefore: compared.facts.notBefore }),
  };
  context.df.setCustomStatus('telling');
  if (refusal) {
    yield* recordRotation({ ...recorded, proof: 'failed' });
    yield* publishIfPossible(context, { ...fact, type: 'KeyRotationFailed', detail: { reason: refusal.reason } });
    yield* tell(context, key, { kind: 'notCounted', made, compared, proof, refusal });
    return { ...refusal, version };
  }
  const verdict = proof.verdict === 'proven' ? 'proven' : 'unproven';
  yield* recordRotation({ ...recorded, proof: verdict });
  const unpublished = yield* publishIfPossible(context, {
    ...fact,
    type: 'KeyNewVersionCreated',
    detail: { proof: verdict, by, previous: made.previous ?? null },
  });
  if (unpublished !== undefined) warnings.push(unpublished);
  yield* tell(context, key, { kind: 'rotated', made: { ...made, warnings }, compared, proof });
  return {
    kind: 'rotated',
    version,
    previous: made.previous ?? '',
    by,
    reason: made.reason,
    proof: verdict,
    warnings,
  };
}

/** Why the new version does not count, if it does not. It stays on the HSM: no version can be taken back. */
function judge(compared: Compared, proof: Proof, demanded: 'required' | 'whenPossible'): Refusal | undefined {
  const corrupt = compared.differences.filter(({ severity }) => severity === 'corrupt');
  if (corrupt.length > 0) {
    const attributes = corrupt.map(({ attribute, expected, found }) => `${attribute} is ${found}, not ${expected}`);
    return {
      kind: 'refused',
      reason: 'CorruptVersion',
      explanation: `The new version came out incomplete: ${attributes.join('; ')}.`,
      nextStep:
        'Keep consumers on the previous version, which stays enabled. Rotate the key again; if that comes out the same, open a support request for the HSM.',
    };
  }
  if (proof.verdict === 'proven' || (proof.verdict === 'unproven' && demanded === 'whenPossible')) return undefined;
  return {
    kind: 'refused',
    reason: 'NotProven',
    explanation: proof.explanation,
    nextStep:
      'Keep consumers on the previous version, which stays enabled. Look at the failed checks; once they are explained, rotate the key again.',
  };
}
