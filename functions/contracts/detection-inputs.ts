import * as z from 'zod';

const hsm = z.string();
/** Instance id of whoever asks. */
const instance = z.string();
/** Names one attempt to judge a window: what it proposes is stored under it. */
const judgement = z.string();
/** Where detection stored a finding: `state/detection/{hsm}/findings/{day}/{id}.json`. */
const findings = z.array(z.strictObject({ id: z.string(), day: z.string() }));

/** Inputs of the activities that read the audit log; part of the vocabulary of inputs.ts. */
export const detectionInputs = {
  sendCanary: z.strictObject({ hsm, instance }),
  learnBaseline: z.strictObject({ hsm, now: z.string() }),
  judgeWindow: z.strictObject({ hsm, instance, judgement, now: z.string() }),
  raiseFindings: z.strictObject({ hsm, instance, findings }),
  commitWindow: z.strictObject({ hsm, judgement }),
  /** A cycle that failed; told from the third in a row on. `at`: tells a repeat of this step from another cycle. */
  noteBlindness: z.strictObject({ hsm, at: z.string(), code: z.string(), message: z.string() }),
} as const;
