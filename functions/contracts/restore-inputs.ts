import * as z from 'zod';
import type { RestoreOutcome } from './restore-outcomes.ts';

const hsm = z.string();
/** Instance id of the restore, which is its id everywhere. */
const instance = z.string();
const step = z.enum(['check', 'restore']);
/** Grows whenever the service has to be asked anew; one attempt is sent once. */
const attempt = z.number().int().positive();
/** The compiler holds the orchestrator to its shape. */
const outcome = z.custom<RestoreOutcome>((value) => typeof value === 'object' && value !== null && 'kind' in value);

/** Inputs of the activities that restore an HSM or one of its keys; part of the vocabulary of inputs.ts. */
export const restoreInputs = {
  /** `start`: with the lock held, so that it is never somebody else's; `approval`: whoever holds it is waited for. */
  judgeRestore: z.strictObject({ hsm, instance, stage: z.enum(['request', 'approval', 'start']) }),
  stageBackup: z.strictObject({ hsm, instance }),
  startRestore: z.strictObject({ hsm, instance, step, attempt }),
  readRestore: z.strictObject({ hsm, instance, step, attempt, jobId: z.string() }),
  compareRestore: z.strictObject({ hsm, instance, startedOn: z.string(), endedOn: z.string() }),
  endRestore: z.strictObject({ hsm, instance, outcome }),
  describeRestore: z.strictObject({
    hsm,
    instance,
    at: z.string(),
    told: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('requested'), until: z.string() }),
      z.strictObject({ kind: z.literal('reminder'), until: z.string() }),
      z.strictObject({ kind: z.literal('ended'), outcome }),
    ]),
    /** The topic does not take it, and people are told all the same. */
    withoutEvent: z.literal(true).exactOptional(),
  }),
} as const;

/** Started for a stored request of the same id; everything else of it is read where it lies. */
export interface RestoreInput {
  hsm: string;
}
