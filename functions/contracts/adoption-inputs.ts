import * as z from 'zod';

const key = z.strictObject({ hsm: z.string(), name: z.string() });

export const adoptionInputs = {
  /** `after`: where the last call ended. */
  lookAtAdoption: z.strictObject({ hsm: z.string(), after: z.string().exactOptional() }),
  recordAdoption: z.strictObject({ key, version: z.string(), at: z.string() }),
} as const;

/** `after` is given by an instance to itself when it goes on with the next keys. */
export interface WatchAdoptionInput {
  hsm: string;
  after?: string;
}
