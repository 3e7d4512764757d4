import type { OrchestrationContext, Task } from 'durable-functions';
import type { OrchestrationInputs } from '../contracts/inputs.ts';
import { type Inspected, isFailed, type RotateKeyOutcome } from '../contracts/outcomes.ts';
import { type Step, steps } from '../steps.ts';
import { finishVersion } from './finish-version.ts';
import { publishIfPossible, tell, tellFault } from './tell.ts';

/** A version that the HSM made by its own policy, or a person by hand, is proven and told like one that was made here. */
export function* confirmKeyVersion(context: OrchestrationContext): Generator<Task, RotateKeyOutcome, unknown> {
  const { key, version, by, reason } = context.df.getInput<OrchestrationInputs['confirmKeyVersion']>();
  try {
    const seen = yield* steps(context).inspectKey({ key });
    if (isFailed(seen)) {
      yield* tell(context, key, { kind: 'failed', version, failed: seen });
      return seen;
    }
    if (seen.facts.version !== version) {
      const explanation = `Version ${version} is no longer the current one; its successor is looked at by itself.`;
      return { kind: 'kept', reason: 'VersionSuperseded', explanation };
    }
    // An attempt of ours is brought to its end, whatever the rule says by now.
    if (by === 'hsm' && seen.effective.rule.rotation.mode === 'off') return yield* noteOnly(context, seen);
    return yield* finishVersion(context, {
      key,
      cause: { kind: 'Native' },
      seen,
      version,
      by,
      reason,
      explanation:
        by === 'us'
          ? 'This version was made by an earlier run that did not come to prove it.'
          : 'The HSM, or a person, made this version; it was not asked for here.',
      warnings: [],
      ...(seen.previous === undefined ? {} : { previous: seen.previous }),
    });
  } catch (fault) {
    yield* tellFault(context, key, version, fault);
    throw fault;
  }
}

/** A key that is left alone is not tried either: a proof uses it, and carried tags change it. */
function* noteOnly(context: OrchestrationContext, seen: Inspected): Step<RotateKeyOutcome> {
  const { key, version, by, reason } = context.df.getInput<OrchestrationInputs['confirmKeyVersion']>();
  const { facts, previous, effective } = seen;
  const at = context.df.currentUtcDateTime.toISOString();
  const instance = context.df.instanceId;
  const before = previous === undefined ? {} : { previous };
  yield* steps(context).recordRotation({ key, instance, version, by, reason, at, proof: 'unproven', ...before });
  yield* publishIfPossible(context, {
    key,
    type: 'KeyNewVersionCreated',
    version,
    at,
    detail: { proof: 'unproven', by, previous: previous ?? null },
    ...(facts.expiresOn === undefined ? {} : { expiresOn: facts.expiresOn }),
    ...(facts.notBefore === undefined ? {} : { notBefore: facts.notBefore }),
  });
  const explanation = `Rotation is off for this key, by ${effective.origin['rotation.mode'] ?? 'its rule'}, so the new version was noted and not tried.`;
  return { kind: 'kept', reason: 'RotationOff', explanation };
}
