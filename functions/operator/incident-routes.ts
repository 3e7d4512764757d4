import * as z from 'zod';
import { COMPROMISE_CLASSES } from '../../shared/policy/response-rule.ts';
import type { OperatorRoute } from './routes.ts';

const EVERYBODY = ['Viewer', 'Operator', 'Approver', 'Auditor'] as const;

const HSM_RULE = 'must be the name of a Managed HSM: 3 to 24 letters, digits and hyphens';
const KEY_RULE = 'must be a key name: 1 to 127 letters, digits and hyphens';
const REASON_RULE = 'must say why, in 3 to 500 characters';
const STEP_RULE = 'must be the id of a step of the incident';
const ID_RULE = 'must be the id of an incident';

const none = z.strictObject({});
const dryRun = z.strictObject({ dryRun: z.enum(['true', 'false'], 'must be true or false').default('false') });
const reason = z.string({ error: REASON_RULE }).trim().min(3, REASON_RULE).max(500, REASON_RULE);
const step = z.string({ error: STEP_RULE }).regex(/^[0-9A-Za-z-]{3,300}$/, STEP_RULE);
const id = z.string().regex(/^incident-[0-9a-zA-Z-]{1,91}$/, ID_RULE);

export const incidentDeclaration = z
  .strictObject({
    hsm: z.string({ error: HSM_RULE }).regex(/^[a-zA-Z][a-zA-Z0-9-]{2,23}$/, HSM_RULE),
    key: z
      .string()
      .regex(/^[0-9a-zA-Z-]{1,127}$/, KEY_RULE)
      .optional()
      .describe('The key that is compromised.'),
    caller: z.guid('must be an object id, a GUID').optional().describe('The object id of who should not be in.'),
    class: z
      .enum(COMPROMISE_CLASSES, `must be one of ${COMPROMISE_CLASSES.join(', ')}`)
      .describe('What was gained: it decides what protects the keys now.'),
    severity: z.enum(['Medium', 'High', 'Critical'], 'must be Medium, High or Critical').default('High'),
    since: z.iso.datetime({ offset: true, error: 'must be an ISO 8601 instant with its zone' }).optional(),
    reason: reason.describe('What makes you think so; journaled and mailed.'),
  })
  .describe('Neither key nor caller: the HSM as a whole.');

export const incidentDecision = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.enum(['approve', 'deny']), step, note: reason }),
    z.strictObject({ kind: z.literal('done'), step, note: reason }).describe('A step that people did.'),
    z.strictObject({ kind: z.literal('putBack'), step, note: reason }).describe('Assigns again what the step removed.'),
    z.strictObject({
      kind: z.literal('verdict'),
      verdict: z.enum(
        ['confirmed', 'likely', 'benign', 'insufficientEvidence'],
        'must be confirmed, likely, benign or insufficientEvidence',
      ),
      note: reason,
    }),
    z.strictObject({ kind: z.literal('close'), note: reason }),
  ],
  { error: 'must have a kind: approve, deny, done, putBack, verdict or close' },
);

const SHORT = 'must be a text';
const text = (longest: number) => z.string(SHORT).min(1, SHORT).max(longest, SHORT);

/** Unknown members are let pass: Azure adds some. https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema */
export const commonAlert = z.object({
  schemaId: z.literal('azureMonitorCommonAlertSchema', {
    error: 'must be azureMonitorCommonAlertSchema: turn on the common alert schema in the action group',
  }),
  data: z.object({
    essentials: z.object({
      alertId: text(500),
      alertRule: text(300),
      alertRuleId: text(500).optional(),
      severity: z.string().max(20).optional(),
      signalType: text(50),
      monitorCondition: z.enum(['Fired', 'Resolved'], 'must be Fired or Resolved'),
      monitoringService: text(100),
      alertTargetIDs: z.array(text(500), 'must be a list of resource ids').max(100).default([]),
      originAlertId: text(500),
      firedDateTime: z.iso.datetime({ offset: true, error: 'must be an ISO 8601 instant with its zone' }),
      resolvedDateTime: z.iso.datetime({ offset: true, error: 'must be an ISO 8601 instant' }).optional(),
      description: z.string().max(2000).optional(),
    }),
    alertContext: z.record(z.string(), z.unknown()).nullish(),
  }),
});

export const incidentRoutes: readonly OperatorRoute[] = [
  {
    operation: 'receiveAlert',
    method: 'POST',
    path: 'alerts',
    summary: 'Take an alert of Azure Monitor in the common alert schema. It hints, and the log is read anew.',
    anyOf: ['ActionGroupsSecureWebhook'],
    params: none,
    query: none,
    body: commonAlert,
    // Azure sends up to 256 KB.
    largestBody: 256 * 1024,
    answers: { 202: 'Taken, now or before.' },
  },
  {
    operation: 'declareIncident',
    method: 'POST',
    path: 'incidents',
    summary:
      'Declare a compromise of a key, a caller or an HSM. Whoever declares cannot approve what is done about it.',
    anyOf: ['Operator'],
    params: none,
    query: dryRun,
    body: incidentDeclaration,
    answers: { 200: 'What would be done, for dryRun=true.', 202: 'Accepted: follow Location.' },
  },
  {
    operation: 'listIncidents',
    method: 'GET',
    path: 'incidents',
    summary: 'Every incident with its severity, state and what it waits for, the newest first.',
    anyOf: EVERYBODY,
    params: none,
    query: none,
    answers: { 200: 'The incidents.' },
  },
  {
    operation: 'showIncident',
    method: 'GET',
    path: 'incidents/{id}',
    summary:
      'One incident: findings, evidence, steps with who must decide, timeline, and what keeps it from being closed.',
    anyOf: EVERYBODY,
    params: z.strictObject({ id }),
    query: none,
    answers: { 200: 'The incident.' },
  },
  {
    operation: 'decideIncident',
    method: 'POST',
    path: 'incidents/{id}/decisions',
    summary:
      'Approve or deny a step, report one that people did, put an assignment back, say what it was, or close it.',
    anyOf: ['Operator', 'Approver'],
    params: z.strictObject({ id }),
    query: dryRun,
    body: incidentDecision,
    answers: { 200: 'What would follow, for dryRun=true.', 202: 'Taken; the response goes on.' },
  },
];
