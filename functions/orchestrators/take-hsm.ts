import type { OrchestrationContext } from 'durable-functions';
import { type Failed, isFailed } from '../contracts/outcomes.ts';
import { pause, type Step, steps } from '../steps.ts';

/** How long we stand in line for the HSM. */
const LINE_PAUSE_MS = 60_000;
const LINE_LOOKS = 30;

export type Taken = { kind: 'taken' } | { kind: 'busy'; explanation: string } | Failed;

/** Takes the exclusive lock of an HSM for this instance, and waits for half an hour while somebody else has it. */
export function* takeHsm(context: OrchestrationContext, hsm: string, operation: 'backup' | 'restore'): Step<Taken> {
  const { lockHsm } = steps(context);
  for (let look = 1; ; look++) {
    const lock = yield* lockHsm({ hsm, holder: context.df.instanceId, operation });
    if (isFailed(lock)) return lock;
    if (lock.kind === 'locked') return { kind: 'taken' };
    if (look === LINE_LOOKS) {
      return { kind: 'busy', explanation: `${hsm} has been held by ${lock.by} for half an hour.` };
    }
    context.df.setCustomStatus(`waiting for ${lock.by}`);
    yield* pause(context, LINE_PAUSE_MS);
  }
}
