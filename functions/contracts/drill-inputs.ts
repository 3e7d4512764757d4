import * as z from 'zod';
import type { DrillStep } from '../../shared/drill/report.ts';
import type { DrillTarget } from '../../shared/policy/hsm-rule.ts';

const hsm = z.string();
/** Instance id of the drill, which is its id everywhere. */
const instance = z.string();
/** Their shapes belong to shared/; the compiler holds those who send them to that. */
const target = z.custom<DrillTarget>((value) => typeof value === 'object' && value !== null && 'kind' in value);
const drillSteps = z.array(z.custom<DrillStep>((value) => typeof value === 'object' && value !== null));

/** Inputs of the activities that rehearse a restore; part of the vocabulary of inputs.ts. */
export const drillInputs = {
  startDueDrill: z.strictObject({ hsm }),
  prepareDrill: z.strictObject({
    hsm,
    instance,
    backup: z.string(),
    target,
    by: z.string(),
    note: z.string(),
    startedOn: z.string(),
  }),
  keepDrillSentinels: z.strictObject({ hsm, instance }),
  compareDrill: z.strictObject({ hsm, instance }),
  tryDrillSentinels: z.strictObject({ hsm, instance }),
  /** `refusal`: why the restore did not come about, as the restore itself names it. */
  closeDrill: z.strictObject({
    hsm,
    instance,
    endedOn: z.string(),
    steps: drillSteps,
    refusal: z.string().exactOptional(),
  }),
  /** `hsm`: the source; `instance`: the drill, whose temporary HSM it is. */
  removeDrillHsm: z.strictObject({ hsm, instance }),
  describeDrillRemains: z.strictObject({ hsm, instance, explanation: z.string() }),
  sweepDrillHsms: z.strictObject({ hsm }),
  /** `withoutEvent`: the topic does not take it, and people are told all the same. */
  describeDrill: z.strictObject({ hsm, instance, withoutEvent: z.literal(true).exactOptional() }),
} as const;

/** How a drill is asked for. */
export interface RestoreDrillInput {
  hsm: string;
  /** The backup that is restored. */
  backup: string;
  target: DrillTarget;
  /** A person's object id, or `schedule`. */
  by: string;
  note: string;
}
