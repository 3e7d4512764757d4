import * as z from 'zod';
import type { KeyRef } from '../../shared/keys/key.ts';
import type { Notice } from '../../shared/notification/notice.ts';
import type { RotateReason, RotationCause } from '../../shared/rotation/decision.ts';
import { adoptionInputs, type WatchAdoptionInput } from './adoption-inputs.ts';
import { type BackUpHsmInput, backupInputs } from './backup-inputs.ts';
import { custodyInputs } from './custody-inputs.ts';
import { detectionInputs } from './detection-inputs.ts';
import { drillInputs, type RestoreDrillInput } from './drill-inputs.ts';
import { heartbeatInputs } from './heartbeat-inputs.ts';
import { incidentInputs } from './incident-inputs.ts';
import { recoveryInputs } from './recovery-inputs.ts';
import { type RestoreInput, restoreInputs } from './restore-inputs.ts';
import { type RetirementRun, retirementInputs } from './retirement-inputs.ts';
import { type RelayInput, webhookInputs } from './webhook-inputs.ts';

/**
 * The vocabulary of the app: every activity and orchestration with its input. Inputs are stored in histories and may be read
 * by a later build, so fields are added, never renamed. Each input is parsed on arrival (functions/implement.ts).
 *
 * This module is the only place where orchestration contracts meet zod; others import its types alone.
 */

const key = z.strictObject({ hsm: z.string(), name: z.string() });
const instance = z.string();

const cause = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('Sweep') }),
  z.strictObject({ kind: z.literal('Event'), eventId: z.string(), eventType: z.string() }),
  z.strictObject({ kind: z.literal('Native') }),
  z.strictObject({
    kind: z.literal('Operator'),
    by: z.string(),
    note: z.string(),
    overrides: z.array(z.enum(['window', 'blackout', 'hold', 'notDue'])),
  }),
  z.strictObject({
    kind: z.literal('Incident'),
    incident: z.string(),
    by: z.string(),
    overrides: z.array(z.enum(['window', 'blackout', 'hold', 'notDue'])),
  }),
]);

const rotatedFor = z.enum([
  'NearExpiry',
  'Expired',
  'MaximumAge',
  'OperatorRequest',
  'Native',
  'Compromise',
]) satisfies z.ZodType<RotateReason>;

const hsmRotationPolicy = z.strictObject({
  expiryTime: z.string().exactOptional(),
  rotateAfterCreate: z.string().exactOptional(),
  rotateBeforeExpiry: z.string().exactOptional(),
});

/** Its shape belongs to shared/notification, which composes it; the compiler holds those who send it to that. */
const notice = z.custom<Notice>((value) => typeof value === 'object' && value !== null && 'kind' in value);

export const inputs = {
  inspectKey: z.strictObject({ key }),
  writeRotationPolicy: z.strictObject({ key, instance, cause, policy: hsmRotationPolicy }),
  backUpKey: z.strictObject({ key, instance, cause, version: z.string() }),
  keepSentinel: z.strictObject({ key, instance, cause, version: z.string() }),
  reserveCreation: z.strictObject({ hsm: z.string(), instance }),
  createKeyVersion: z.strictObject({ key, instance, expectedVersion: z.string(), cause, reason: rotatedFor }),
  carryTags: z.strictObject({ key, instance, cause, version: z.string(), previous: z.string() }),
  proveKeyVersion: z.strictObject({
    key,
    instance,
    cause,
    version: z.string(),
    previous: z.string().exactOptional(),
    proof: z.enum(['required', 'whenPossible']),
  }),
  compareKeyVersion: z.strictObject({
    key,
    version: z.string(),
    previous: z.string().exactOptional(),
    validity: z.string(),
  }),
  recordRotation: z.strictObject({
    key,
    instance,
    version: z.string(),
    previous: z.string().exactOptional(),
    by: z.enum(['us', 'hsm']),
    proof: z.enum(['proven', 'unproven', 'failed']),
    reason: rotatedFor,
    at: z.string(),
  }),
  publishKeyFact: z.strictObject({
    key,
    type: z.enum([
      'KeyNewVersionCreated',
      'KeyRotationRefused',
      'KeyRotationFailed',
      'KeyVersionAdopted',
      'KeyVersionRetired',
    ]),
    version: z.string(),
    at: z.string(),
    expiresOn: z.string().exactOptional(),
    notBefore: z.string().exactOptional(),
    detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  }),
  surveyKeys: z.strictObject({ hsm: z.string(), survey: z.string() }),
  startDueWork: z.strictObject({
    hsm: z.string(),
    survey: z.string(),
    batch: z.number().int().nonnegative(),
    /** The topic takes nothing: the work is started all the same, and the next sweep publishes. */
    withoutEvents: z.literal(true).exactOptional(),
  }),
  commitSurvey: z.strictObject({ hsm: z.string(), survey: z.string() }),
  reconcilePolicies: z.strictObject({ hsm: z.string(), instance, after: z.string().exactOptional() }),
  routeNotice: z.strictObject({ id: z.string(), notice, repeatAfter: z.string().exactOptional() }),
  sendMail: z.strictObject({
    id: z.string(),
    notice,
    to: z.string(),
    /** When it was told before, if it was: a reminder is a message of its own. */
    lastToldOn: z.string().exactOptional(),
  }),
  /** Into the outboxes of the webhooks; `lastToldOn` as for a mail. */
  queueNotice: z.strictObject({ id: z.string(), notice, lastToldOn: z.string().exactOptional() }),
  settleNotice: z.strictObject({
    id: z.string(),
    delivered: z.array(z.string()),
    undelivered: z.array(z.string()),
    /** Given with what is undelivered, so that it can be sent again. */
    notice: notice.exactOptional(),
    lastToldOn: z.string().exactOptional(),
  }),
  ...backupInputs,
  ...restoreInputs,
  ...custodyInputs,
  ...recoveryInputs,
  ...drillInputs,
  ...incidentInputs,
  ...webhookInputs,
  ...heartbeatInputs,
  ...adoptionInputs,
  ...detectionInputs,
  ...retirementInputs,
} as const;

export type ActivityName = keyof typeof inputs;
export type ActivityInput<N extends ActivityName> = z.infer<(typeof inputs)[N]>;

/** Orchestrations are started only by this app, from input that was parsed at its door, so types suffice here. */
export interface OrchestrationInputs {
  rotateKey: { key: KeyRef; version: string; cause: RotationCause };
  /** Proves and tells a version that the HSM, or a person, made. */
  confirmKeyVersion: { key: KeyRef; version: string; by: 'us' | 'hsm'; reason: RotateReason };
  sweepExpiringKeys: { hsm: string };
  /** `after` and `sofar` are given by an instance to itself when it goes on with the next keys. */
  reconcileRotationPolicies: {
    hsm: string;
    after?: string;
    sofar?: { checked: number; drifted: number; repaired: number };
  };
  /** `again`: a person has it sent again to these, as it was told then. */
  deliverNotification: {
    id: string;
    notice: Notice;
    repeatAfter?: string;
    again?: { to: string[]; lastToldOn?: string };
  };
  watchHeartbeats: Record<string, never>;
  watchAdoption: WatchAdoptionInput;
  retireKeyVersion: RetirementRun;
  relayWebhook: RelayInput;
  relayWaitingCalls: Record<string, never>;
  backUpHsm: BackUpHsmInput;
  restoreHsm: RestoreInput;
  restoreKey: RestoreInput;
  runRestoreDrill: RestoreDrillInput;
  /** Removes the temporary HSM of a drill; `instance` is the drill. */
  tearDownDrill: { hsm: string; instance: string };
  watchBackups: { hsm: string };
  watchCustody: { hsm: string };
  recoverHsm: { recovery: string };
  /** `incident`: its own instance id; everything else is read where it lies. */
  respondToCompromise: { incident: string };
  detectAnomalies: { hsm: string };
}

export type OrchestrationName = keyof OrchestrationInputs;
