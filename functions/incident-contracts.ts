import * as z from 'zod';

const hsm = z.string();
/** Instance id of whoever asks. */
const instance = z.string();

/** Inputs of the activities that answer a compromise; part of the vocabulary of contracts.ts. */
export const incidentInputs = {
  /** Findings that detection stored: `state/detection/{hsm}/findings/{day}/{id}.json`. */
  joinIncidents: z.strictObject({
    hsm,
    findings: z.array(z.strictObject({ id: z.string(), day: z.string() })),
    instance,
    /** Who found them; absent: detection. */
    openedBy: z.string().exactOptional(),
  }),
} as const;
