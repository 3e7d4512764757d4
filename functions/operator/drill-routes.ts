import * as z from 'zod';
import { reason } from './reason.ts';
import type { OperatorRoute } from './routes.ts';

const EVERYBODY = ['Viewer', 'Operator', 'Approver', 'Auditor'] as const;

const HSM_RULE = 'must be the name of a Managed HSM: 3 to 24 letters, digits and hyphens';
const BACKUP_RULE = 'must be the id of a backup: mhsm-{hsm}-{14 or 16 digits}';

const none = z.strictObject({});

export const drillRequest = z.strictObject({
  hsm: z.string({ error: HSM_RULE }).regex(/^[a-zA-Z][a-zA-Z0-9-]{2,23}$/, HSM_RULE),
  backup: z
    .string({ error: BACKUP_RULE })
    .regex(/^mhsm-[a-zA-Z][a-zA-Z0-9-]{2,23}-\d{14}(\d\d)?$/, BACKUP_RULE)
    .optional()
    .describe('Rehearse with this one. Absent: the policy picks.'),
  reason: reason.describe('Why a drill runs now; journaled.'),
});

export const drillCancellation = z.strictObject({
  reason: reason.describe('Why the drill is called off; journaled.'),
});

const drillId = z.strictObject({ id: z.string().regex(/^drill-[0-9a-zA-Z-]{1,94}$/, 'must be the id of a drill') });

export const drillRoutes: readonly OperatorRoute[] = [
  {
    operation: 'listDrills',
    method: 'GET',
    path: 'drills',
    summary: 'Every restore drill with its verdict, recovery point and recovery time, the newest first.',
    anyOf: EVERYBODY,
    params: none,
    query: none,
    answers: { 200: 'The drills.' },
  },
  {
    operation: 'showDrill',
    method: 'GET',
    path: 'drills/{id}',
    summary: 'One restore drill and its report.',
    anyOf: EVERYBODY,
    params: drillId,
    query: none,
    answers: { 200: 'The drill.' },
  },
  {
    operation: 'requestDrill',
    method: 'POST',
    path: 'drills',
    summary:
      'Rehearse a restore now, on the drill HSM that the policy names or on one that is made for it. Its people report to the rehearsal: POST recoveries/{rehearsal}/steps/{step}.',
    anyOf: ['Operator'],
    params: none,
    query: z.strictObject({ dryRun: z.enum(['true', 'false'], 'must be true or false').default('false') }),
    body: drillRequest,
    answers: {
      200: 'Which backup would be restored where, and at what cost, for dryRun=true.',
      202: 'Accepted: follow Location.',
    },
  },
  {
    operation: 'cancelDrill',
    method: 'POST',
    path: 'drills/{id}/cancellation',
    summary: 'Call off a drill that waits for people on a temporary HSM. What it made is removed.',
    anyOf: ['Operator', 'Approver'],
    params: drillId,
    query: none,
    body: drillCancellation,
    answers: { 202: 'It ends, and removes what it made: follow Location.' },
  },
];
