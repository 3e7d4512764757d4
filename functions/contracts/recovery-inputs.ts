import * as z from 'zod';

/** The steps that the automation does by itself. Names are stored in histories: added, never renamed. */
const automated = z.enum([
  ...(['prerequisites', 'createHsm', 'enterRecovery', 'awaitActivation'] as const),
  ...(['attachIdentity', 'safetyBackup', 'restore', 'verify', 'stageBackup'] as const),
]);

export type AutomatedStep = z.infer<typeof automated>;

/** Inputs of the activities that recover an HSM; part of the vocabulary of inputs.ts. */
export const recoveryInputs = {
  nextRecoveryStep: z.strictObject({ recovery: z.string() }),
  performRecoveryStep: z.strictObject({ recovery: z.string(), step: automated }),
} as const;
