import * as z from 'zod';
import type { RetirementOutcome } from './retirement-outcomes.ts';

/** Instance id of the retirement, which is its id everywhere. */
const instance = z.string();
const outcome = z.custom<RetirementOutcome>((value) => typeof value === 'object' && value !== null && 'kind' in value);

export const retirementInputs = {
  judgeRetirement: z.strictObject({ instance }),
  disableKeyVersion: z.strictObject({ instance }),
  lookForMissed: z.strictObject({ instance, disabledOn: z.string() }),
  enableKeyVersion: z.strictObject({ instance, callers: z.array(z.string()) }),
  endRetirement: z.strictObject({ instance, outcome }),
  describeRetirement: z.strictObject({
    instance,
    at: z.string(),
    told: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('requested'), until: z.string() }),
      z.strictObject({ kind: z.literal('reminder'), until: z.string() }),
      z.strictObject({ kind: z.literal('disabled'), watchedUntil: z.string() }),
      z.strictObject({ kind: z.literal('ended'), outcome }),
    ]),
  }),
} as const;

/** Started for a stored request of the same id. */
export interface RetirementRun {
  hsm: string;
  name: string;
  version: string;
}
