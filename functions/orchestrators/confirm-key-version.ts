import type { OrchestrationContext, Task } from 'durable-functions';
import type { OrchestrationInputs } from '../contracts.ts';
import { isFailed, type RotateKeyOutcome } from '../outcomes.ts';
import { steps } from '../steps.ts';
import { finishVersion } from './finish-version.ts';
import { tell, tellFault } from './tell.ts';

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
