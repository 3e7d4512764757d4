import type { OrchestrationContext, Task } from 'durable-functions';
import type { OrchestrationInputs } from '../contracts/inputs.ts';
import { type Failed, isFailed } from '../contracts/outcomes.ts';
import { noticeId } from '../instance-ids.ts';
import { run, steps } from '../steps.ts';
import { publishIfPossible } from './tell.ts';

/** Tells, once for each version, that everybody uses it; in pages, each a run of its own so that histories stay short. */
export function* watchAdoption(
  context: OrchestrationContext,
): Generator<Task, { kind: 'watched' | 'off' | 'goesOn' } | Failed, unknown> {
  const { lookAtAdoption, recordAdoption } = steps(context);
  const { hsm, after } = context.df.getInput<OrchestrationInputs['watchAdoption']>();
  const looked = yield* lookAtAdoption({ hsm, ...(after === undefined ? {} : { after }) });
  if (isFailed(looked)) return looked;
  if (looked.kind === 'off') return { kind: 'off' };
  for (const { key, version, at, callers, due } of looked.adopted) {
    const { id, notice, repeatAfter } = due;
    yield* run(context, 'deliverNotification', { id, notice, repeatAfter }, noticeId(context.df.instanceId, id));
    yield* publishIfPossible(context, { key, type: 'KeyVersionAdopted', version, at, detail: { callers } });
    yield* recordAdoption({ key, version, at });
  }
  if (looked.after === undefined) return { kind: 'watched' };
  context.df.continueAsNew({ hsm, after: looked.after });
  return { kind: 'goesOn' };
}
