import type { OrchestrationContext } from 'durable-functions';
import type { Failed } from '../contracts/outcomes.ts';
import type { RestoreRefused } from '../contracts/restore-outcomes.ts';
import { type Step, steps, waitUntil } from '../steps.ts';

/** `again`: the service spoke of the age of the safety backup, which is judged anew. */
export type JobEnd = { kind: 'done' } | { kind: 'again'; why: string } | RestoreRefused | Failed;

/** Starts the check before a restore, or the restore itself, and follows the job to its end. */
export function* followRestoreJob(
  context: OrchestrationContext,
  hsm: string,
  step: 'check' | 'restore',
  attempt: number,
): Step<JobEnd> {
  const { startRestore, readRestore } = steps(context);
  const instance = context.df.instanceId;
  context.df.setCustomStatus(step === 'check' ? 'checking the backup on the HSM' : 'starting the restore');
  for (;;) {
    const started = yield* startRestore({ hsm, instance, step, attempt });
    if (started.kind === 'wait') {
      context.df.setCustomStatus(`waiting: ${started.why}`);
      yield* waitUntil(context, started.until);
      continue;
    }
    if (started.kind !== 'started') return started;
    const { jobId } = started;
    context.df.setCustomStatus(`following job ${jobId}`);
    for (;;) {
      const reading = yield* readRestore({ hsm, instance, step, attempt, jobId });
      if (reading.kind !== 'running') return reading;
      yield* waitUntil(context, reading.lookAgainOn);
    }
  }
}
