import * as z from 'zod';
import type { BackupOperation } from './answer-backups.ts';
import type { DrillOperation } from './answer-drills.ts';
import type { IncidentOperation } from './answer-incidents.ts';
import type { AppRole } from './authorise.ts';
import { backupRoutes } from './backup-routes.ts';
import { drillRoutes } from './drill-routes.ts';
import { findingRoutes } from './finding-routes.ts';
import type { FindingOperation } from './findings.ts';
import { incidentRoutes } from './incident-routes.ts';
import { notificationRoutes } from './notification-routes.ts';
import type { NotificationOperation } from './notifications.ts';
import { reason } from './reason.ts';
import type { SecretRule } from './refuse-secrets.ts';
import { retirementRoutes } from './retirement-routes.ts';
import type { RetirementOperation } from './retirements.ts';

const hsm = z
  .string()
  .regex(/^[a-zA-Z][a-zA-Z0-9-]{2,23}$/, 'must be the name of a Managed HSM: 3 to 24 letters, digits and hyphens');
const name = z.string().regex(/^[0-9a-zA-Z-]{1,127}$/, 'must be a key name: 1 to 127 letters, digits and hyphens');

/** One route of the operator API. The same table registers, validates and documents. */
export interface OperatorRoute extends SecretRule {
  operation: OperationName;
  method: 'GET' | 'POST';
  /** Below /api, as a Functions route template. */
  path: string;
  summary: string;
  anyOf: readonly AppRole[];
  params: z.ZodObject;
  query: z.ZodObject;
  body?: z.ZodType;
  /** In characters; absent: what a person would write. */
  largestBody?: number;
  /** Status and meaning of each answer that is not a refusal. */
  answers: Record<number, string>;
}

export type OperationName =
  | 'requestRotation'
  | 'showKey'
  | 'showOperation'
  | 'showCustody'
  | 'recordCertificates'
  | 'recordCustodyFact'
  | 'requestRecovery'
  | 'showRecovery'
  | 'reportRecoveryStep'
  | BackupOperation
  | DrillOperation
  | IncidentOperation
  | FindingOperation
  | NotificationOperation
  | RetirementOperation
  | 'showPolicy'
  | 'verifyJournal'
  | 'showHealth'
  | 'describeApi';

const none = z.strictObject({});

/** A misspelt query parameter must not pass for an absent one, least of all dryRun. */
const dryRun = z.strictObject({
  dryRun: z.enum(['true', 'false'], 'must be true or false').default('false'),
});

export const rotationRequest = z.strictObject({
  reason: reason.describe('Why the key is rotated now; journaled and mailed to the owner.'),
  overrides: z
    .array(z.enum(['window', 'blackout', 'hold'], 'must be one of window, blackout, hold'))
    .default([])
    .describe('Rules of the policy that this request sets aside, on the record.'),
  expectedVersion: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'must be a key version: 32 hex digits')
    .optional()
    .describe('Refuse unless this is still the current version.'),
});

export const custodyCertificates = z.strictObject({
  pem: z
    .string({ error: 'must be the text of PEM certificates' })
    .min(1, 'must be the text of PEM certificates')
    .describe('Public wrapping certificates, PEM, one after the other. Private keys are refused and not kept.'),
});

/** Which fields each kind takes is told by the answer, all faults at once: shared/custody/judge-input.ts knows them. */
export const custodyFact = z.looseObject({
  kind: z.enum(
    [
      'SecurityDomainRecorded',
      ...['ShareHandedOver', 'ShareSighted', 'ShareLost', 'ShareFound', 'HolderUnavailable', 'HolderAvailable'],
      ...['FileStored', 'FileSighted', 'FileDestroyed', 'Reviewed'],
    ] as const,
    'must be a kind of fact: SecurityDomainRecorded, ShareHandedOver, ShareSighted, ShareLost, ShareFound, HolderUnavailable, HolderAvailable, FileStored, FileSighted, FileDestroyed or Reviewed',
  ),
  at: z.string('must be an instant with its zone').optional().describe('When it was so; absent: now.'),
});

const recoveryIdRule = z.string().regex(/^(recover|rehearse)-[0-9a-zA-Z-]{1,91}$/, 'must be the id of a recovery');
const guid = z.guid('must be a GUID');

export const recoveryRequest = z.strictObject({
  hsm: hsm.describe('The HSM that is lost.'),
  newHsm: z
    .string()
    .regex(
      /^[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]$/,
      'must be a name for a Managed HSM: 3 to 24 letters, digits and hyphens',
    )
    .describe('The HSM that is made in its place.'),
  region: z.string().regex(/^[a-z0-9]{3,40}$/, 'must be an Azure region in lower case, such as northeurope'),
  tenantId: guid,
  administrators: z
    .array(guid, 'must be a list of object ids')
    .min(1, 'must name one administrator at least')
    .describe('Object ids of the initial administrators; the identity of the duty restore among them.'),
  identities: z
    .array(z.string().startsWith('/subscriptions/', 'must be resource ids of user-assigned identities'))
    .optional()
    .describe('What the new HSM reaches its backups with; absent: as the lost one, if Azure still shows it.'),
  reason,
});

const consumerDone = z.strictObject({
  consumer: z.string().min(1).max(200),
  key: name,
  note: z.string().max(500).optional(),
});

export const recoveryStepReport = z.strictObject({
  result: z
    .enum(['done', 'failed', 'skipped', 'retry'], 'must be done, failed, skipped or retry')
    .default('done')
    .describe('retry: a step of the app that failed is tried again at once.'),
  evidence: z.string().trim().min(1).max(500).optional().describe('What shows it; journaled.'),
  blob: z
    .string()
    .min(1)
    .optional()
    .describe('Step upload: the transfer blob. It goes to the HSM and is kept nowhere.'),
  consumer: consumerDone.optional().describe('Step repoint: one consumer that uses the new HSM now.'),
});

export const operatorRoutes: readonly OperatorRoute[] = [
  {
    operation: 'requestRotation',
    method: 'POST',
    path: 'keys/{hsm}/{name}/rotation',
    summary: 'Rotate a key now, prove the new version and tell the owner.',
    anyOf: ['Operator'],
    params: z.strictObject({ hsm, name }),
    query: dryRun,
    body: rotationRequest,
    answers: { 200: 'The plan, for dryRun=true.', 202: 'Accepted: follow Location.' },
  },
  {
    operation: 'showKey',
    method: 'GET',
    path: 'keys/{hsm}/{name}',
    summary:
      'A key: its state, the rule in force with where each field came from, its version budget and its rotations.',
    anyOf: ['Viewer', 'Operator', 'Approver', 'Auditor'],
    params: z.strictObject({ hsm, name }),
    query: none,
    answers: { 200: 'The key.' },
  },
  {
    operation: 'showOperation',
    method: 'GET',
    path: 'operations/{id}',
    summary: 'How an accepted request stands.',
    anyOf: ['Viewer', 'Operator', 'Approver', 'Auditor'],
    params: z.strictObject({ id: z.string().regex(/^[0-9a-zA-Z-]{1,100}$/, 'must be the id from a Location header') }),
    query: none,
    answers: { 200: 'Ended: the outcome.', 202: 'Under way: ask again after Retry-After.' },
  },
  {
    operation: 'showCustody',
    method: 'GET',
    path: 'custody',
    summary:
      'Who holds the shares of each security domain, whether its quorum can be reached, what expires and when it is reviewed.',
    anyOf: ['Viewer', 'Operator', 'Approver', 'Auditor'],
    params: none,
    query: none,
    answers: { 200: 'The custody of each HSM.' },
  },
  {
    operation: 'recordCertificates',
    method: 'POST',
    path: 'custody/{hsm}/certificates',
    summary: 'Register wrapping certificates. Private key material is refused, and nothing of it is kept.',
    anyOf: ['Operator'],
    params: z.strictObject({ hsm }),
    query: dryRun,
    body: custodyCertificates,
    strict: true,
    answers: { 200: 'Known already, or the plan for dryRun=true.', 201: 'Recorded.' },
  },
  {
    operation: 'recordCustodyFact',
    method: 'POST',
    path: 'custody/{hsm}/facts',
    summary: 'Record a sighting, a hand-over, a loss, a review or another fact of custody.',
    anyOf: ['Operator'],
    params: z.strictObject({ hsm }),
    query: dryRun,
    body: custodyFact,
    strict: true,
    answers: { 200: 'Known already, or the plan for dryRun=true.', 201: 'Recorded.' },
  },
  ...backupRoutes,
  ...drillRoutes,
  ...notificationRoutes,
  ...incidentRoutes,
  ...findingRoutes,
  ...retirementRoutes,
  {
    operation: 'requestRecovery',
    method: 'POST',
    path: 'recoveries',
    summary: 'Recover a lost HSM as a new one. Nothing is made before another person confirms the loss.',
    anyOf: ['Operator'],
    params: none,
    query: dryRun,
    body: recoveryRequest,
    answers: { 200: 'The runbook, for dryRun=true.', 202: 'Accepted: follow Location.' },
  },
  {
    operation: 'showRecovery',
    method: 'GET',
    path: 'recoveries/{id}',
    summary:
      'The runbook of a recovery with names and state, its prerequisites, and the consumers to point at the new HSM.',
    anyOf: ['Viewer', 'Operator', 'Approver', 'Auditor'],
    params: z.strictObject({ id: recoveryIdRule }),
    query: none,
    answers: { 200: 'The recovery.' },
  },
  {
    operation: 'reportRecoveryStep',
    method: 'POST',
    path: 'recoveries/{id}/steps/{step}',
    summary:
      'Report a step that a person did, approve one, hand over the transfer blob, or have a failed one tried again.',
    anyOf: ['Operator', 'Approver'],
    params: z.strictObject({
      id: recoveryIdRule,
      step: z.string().regex(/^[a-zA-Z]{3,30}$/, 'must be the name of a step of the runbook'),
    }),
    query: none,
    body: recoveryStepReport,
    opaque: 'blob',
    answers: { 200: 'Entered: the recovery as it stands now.' },
  },
  {
    operation: 'showPolicy',
    method: 'GET',
    path: 'policy',
    summary: 'The policy in force, and the faults of a newer document that does not parse.',
    anyOf: ['Viewer', 'Operator', 'Approver', 'Auditor'],
    params: none,
    query: z.strictObject({
      hsm: hsm.optional().describe('Shows each field of the rule of this HSM as well, with where it came from.'),
    }),
    answers: { 200: 'The policy.' },
  },
  {
    operation: 'verifyJournal',
    method: 'GET',
    path: 'journal/verification',
    summary: 'Walk the hash chain of the journal from its first line.',
    anyOf: ['Auditor'],
    params: none,
    query: none,
    answers: { 200: 'Unbroken, or where it breaks.' },
  },
  {
    operation: 'showHealth',
    method: 'GET',
    path: 'health',
    summary: 'Whether the app reaches what it needs, and when each HSM was last swept.',
    anyOf: ['Viewer', 'Operator', 'Approver', 'Auditor'],
    params: none,
    query: none,
    answers: { 200: 'Healthy.', 503: 'Something is out of reach.' },
  },
  {
    operation: 'describeApi',
    method: 'GET',
    path: 'openapi.json',
    summary: 'This description, as OpenAPI 3.1.',
    anyOf: ['Viewer', 'Operator', 'Approver', 'Auditor'],
    params: none,
    query: none,
    answers: { 200: 'OpenAPI 3.1.' },
  },
];
