import * as z from 'zod';

/** Inputs of the activities that look after the custody of security domains; part of the vocabulary of inputs.ts. */
export const custodyInputs = {
  lookAtCustody: z.strictObject({ hsm: z.string() }),
  publishCustodyAlarm: z.strictObject({
    hsm: z.string(),
    alarm: z.enum(['CustodyExpiring', 'QuorumAtRisk']),
    securityDomain: z.string(),
    at: z.string(),
    /** Names what is wrong, so that the same state is the same event. */
    state: z.string(),
    summary: z.string(),
  }),
} as const;
