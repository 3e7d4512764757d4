import type { OrchestrationContext, Task } from 'durable-functions';
import type { KeyFacts, KeyRef } from '../../shared/keys/key.ts';
import { decideRotation } from '../../shared/rotation/decide-rotation.ts';
import type { RotateReason, RotationPlan } from '../../shared/rotation/decision.ts';
import { expectedHsmPolicy, policyBeforeRotation } from '../../shared/rotation/reconcile-policy.ts';
import type { OrchestrationInputs } from '../contracts/inputs.ts';
import { type Failed, type Inspected, isFailed, type RotateKeyOutcome } from '../contracts/outcomes.ts';
import { pause, type Step, steps, waitUntil } from '../steps.ts';
import { finishVersion } from './finish-version.ts';
import { tell, tellFault } from './tell.ts';

/** How often we look again at an HSM that is busy with a backup or restore, and when we leave it to the next sweep. */
const BUSY_PAUSE_MS = 60_000;
const BUSY_LOOKS = 60;

/** Look, decide, act once, prove, compare, tell. One instance for each key version: `rotate-{hsm}-{key}-{version}`. */
export function* rotateKey(context: OrchestrationContext): Generator<Task, RotateKeyOutcome, unknown> {
  const input = context.df.getInput<OrchestrationInputs['rotateKey']>();
  try {
    return yield* rotate(context, input);
  } catch (fault) {
    yield* tellFault(context, input.key, input.version, fault);
    throw fault;
  }
}

function* rotate(context: OrchestrationContext, input: OrchestrationInputs['rotateKey']): Step<RotateKeyOutcome> {
  const { key, version, cause } = input;
  context.df.setCustomStatus('looking');
  const seen = yield* lookWhenIdle(context, key);
  if (isFailed(seen)) return yield* fail(context, input, seen);

  const decision = decideRotation({
    key,
    facts: seen.facts,
    expectedVersion: version,
    versionsUsed: seen.versionsUsed,
    versionsCreatedOn: seen.versionsCreatedOn,
    effective: seen.effective,
    ...(seen.hsmPolicy ? { policyOnHsm: seen.hsmPolicy } : {}),
    cause,
    now: context.df.currentUtcDateTime,
  });
  switch (decision.kind) {
    case 'keep':
      return { ...decision, kind: 'kept' };
    case 'deferred':
      return decision;
    case 'remind':
      yield* tell(context, key, { kind: 'reminder', seen, decision });
      return { kind: 'reminded', reason: decision.reason, explanation: decision.explanation };
    case 'refused':
      yield* tell(context, key, { kind: 'refused', seen, decision });
      return decision;
    case 'rotate':
      return yield* act(context, input, seen, decision);
  }
}

/** A restore refuses every call and a backup slows the HSM down: wait for either to end, then look. */
function* lookWhenIdle(context: OrchestrationContext, key: KeyRef): Step<Inspected | Failed> {
  const { inspectKey } = steps(context);
  for (let look = 1; ; look++) {
    const seen = yield* inspectKey({ key });
    const busy = isFailed(seen) ? seen.code === 'ERR_HSM_BUSY' : seen.busy !== undefined;
    if (!busy) return seen;
    if (look === BUSY_LOOKS) {
      return {
        kind: 'failed',
        code: 'ERR_HSM_BUSY',
        message: `${key.hsm} has been busy with ${isFailed(seen) ? 'a restore' : `a ${seen.busy?.kind} by ${seen.busy?.holder}`} for an hour.`,
        nextStep: 'Nothing to do if that is intended: the next sweep tries again. Otherwise look at the running job.',
      };
    }
    context.df.setCustomStatus('waiting: the HSM is busy');
    yield* pause(context, BUSY_PAUSE_MS);
  }
}

function* act(
  context: OrchestrationContext,
  { key, version, cause }: OrchestrationInputs['rotateKey'],
  seen: Inspected,
  plan: RotationPlan,
): Step<RotateKeyOutcome> {
  const { writeRotationPolicy, backUpKey, keepSentinel } = steps(context);
  const instance = context.df.instanceId;
  const { rule } = seen.effective;

  if (plan.steps.includes('backUpKey')) {
    context.df.setCustomStatus('backing up the key');
    const kept = yield* backUpKey({ key, instance, cause, version });
    if (isFailed(kept)) return yield* fail(context, { key, version }, kept, seen);
  }
  // Material under the old version, made while it may still make any: it proves later that old data still opens.
  const sentinel = yield* keepSentinel({ key, instance, cause, version });
  if (isFailed(sentinel)) return yield* fail(context, { key, version }, sentinel, seen);

  const repairs = plan.steps.includes('repairRotationPolicy');
  const whole = expectedHsmPolicy(rule.rotation);
  const first = policyBeforeRotation(rule.rotation, seen.facts.expiresOn, context.df.currentUtcDateTime);
  if (repairs) {
    const written = yield* writeRotationPolicy({ key, instance, cause, policy: first });
    if (isFailed(written)) return yield* fail(context, { key, version }, written, seen);
  }
  context.df.setCustomStatus('rotating');
  const made = yield* createOnce(context, { key, version, cause }, plan.reason);
  if (isFailed(made)) return yield* fail(context, { key, version }, made, seen);

  const warnings = [...plan.warnings];
  if (repairs && first.rotateBeforeExpiry !== whole.rotateBeforeExpiry) {
    const completed = yield* writeRotationPolicy({ key, instance, cause, policy: whole });
    if (isFailed(completed)) warnings.push(`The backstop was not set. ${completed.message} ${completed.nextStep}`);
  }
  return yield* finishVersion(context, {
    key,
    cause,
    seen,
    previous: version,
    version: made.facts.version,
    by: made.by,
    reason: made.by === 'us' ? plan.reason : 'Native',
    explanation: plan.explanation,
    warnings,
  });
}

/** Takes a creation slot, then asks until it is certain that exactly one new version follows the one that was seen. */
function* createOnce(
  context: OrchestrationContext,
  { key, version, cause }: OrchestrationInputs['rotateKey'],
  reason: RotateReason,
): Step<{ kind: 'made'; facts: KeyFacts; by: 'us' | 'hsm' } | Failed> {
  const { reserveCreation, createKeyVersion } = steps(context);
  const instance = context.df.instanceId;
  const slot = yield* reserveCreation({ hsm: key.hsm, instance });
  if (isFailed(slot)) return slot;
  yield* waitUntil(context, slot.at);
  for (;;) {
    const made = yield* createKeyVersion({ key, instance, expectedVersion: version, cause, reason });
    switch (made.kind) {
      case 'failed':
        return made;
      case 'created':
        return { kind: 'made', facts: made.facts, by: 'us' };
      case 'alreadyThere':
        return { kind: 'made', facts: made.facts, by: made.by };
      case 'unknown':
        context.df.setCustomStatus('waiting: the answer of the HSM was lost');
        yield* waitUntil(context, made.settleUntil);
    }
  }
}

function* fail(
  context: OrchestrationContext,
  { key, version }: { key: KeyRef; version: string },
  failed: Failed,
  seen?: Inspected,
): Step<RotateKeyOutcome> {
  yield* tell(context, key, { kind: 'failed', version, failed, ...(seen ? { seen } : {}) });
  return failed;
}
