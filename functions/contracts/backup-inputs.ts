import * as z from 'zod';
import type { BackUpHsmOutcome } from './backup-outcomes.ts';

const hsm = z.string();
const instance = z.string();
const folder = z.string();
const purpose = z.enum(['scheduled', 'requested', 'safety']);

/** Inputs of the activities that back an HSM up; part of the vocabulary of inputs.ts. */
export const backupInputs = {
  lockHsm: z.strictObject({ hsm, holder: instance, operation: z.enum(['backup', 'restore']) }),
  unlockHsm: z.strictObject({ hsm, holder: instance }),
  startBackup: z.strictObject({
    hsm,
    instance,
    purpose,
    cause: z.string(),
    attempt: z.number().int().positive(),
    scheduledFor: z.string().exactOptional(),
  }),
  readBackup: z.strictObject({ hsm, instance, jobId: z.string() }),
  endBackupAttempt: z.strictObject({ hsm, instance, result: z.enum(['landed', 'failed']) }),
  takeInventory: z.strictObject({ hsm, folder }),
  copyBackup: z.strictObject({ hsm, instance, folder }),
  sealBackup: z.strictObject({
    hsm,
    instance,
    folder,
    container: z.string(),
    jobId: z.string(),
    takenOn: z.string(),
    completedOn: z.string(),
    purpose,
    scheduledFor: z.string().exactOptional(),
  }),
  pruneBackups: z.strictObject({ hsm, instance, dryRun: z.boolean() }),
  describeBackup: z.strictObject({
    hsm,
    instance,
    at: z.string(),
    purpose,
    attempt: z.number().int().positive(),
    pruned: z.array(z.string()),
    /** The compiler holds the orchestrator to its shape. */
    outcome: z.custom<Exclude<BackUpHsmOutcome, { kind: 'deferred' }>>(
      (value) => typeof value === 'object' && value !== null,
    ),
    /** The topic does not take it, and people are told all the same. */
    withoutEvent: z.literal(true).exactOptional(),
  }),
  startDueBackup: z.strictObject({ hsm }),
  watchFreshness: z.strictObject({ hsm }),
  tidyBackups: z.strictObject({ hsm }),
} as const;

/** How a backup is asked for. `scheduledFor`: the slot of the schedule that it answers. */
export interface BackUpHsmInput {
  hsm: string;
  purpose: z.infer<typeof purpose>;
  /** Who or what caused it, for the journal. */
  cause: string;
  attempt: number;
  scheduledFor?: string;
  /** Instance that holds the HSM's lock already, and under whose lock this backup is taken. */
  under?: string;
}
