import * as z from 'zod';
import { reason } from './reason.ts';
import type { OperatorRoute } from './routes.ts';

const EVERYBODY = ['Viewer', 'Operator', 'Approver', 'Auditor'] as const;

const HSM_RULE = 'must be the name of a Managed HSM: 3 to 24 letters, digits and hyphens';
const hsm = z.string({ error: HSM_RULE }).regex(/^[a-zA-Z][a-zA-Z0-9-]{2,23}$/, HSM_RULE);
const BACKUP_RULE = 'must be the id of a backup: mhsm-{hsm}-{14 or 16 digits}';
const backup = z.string({ error: BACKUP_RULE }).regex(/^mhsm-[a-zA-Z][a-zA-Z0-9-]{2,23}-\d{14}(\d\d)?$/, BACKUP_RULE);
const restore = z.string().regex(/^restore-[0-9a-zA-Z-]{1,92}$/, 'must be the id of a restore');
const KEY_RULE = 'must be a key name: 1 to 127 letters, digits and hyphens';

const none = z.strictObject({});
const dryRun = z.strictObject({
  dryRun: z.enum(['true', 'false'], 'must be true or false').default('false'),
});

export const backupRequest = z.strictObject({
  hsm,
  reason: reason.describe('Why a backup is taken now; journaled.'),
});

export const retentionRequest = z.strictObject({ hsm });

export const restoreRequest = z.strictObject({
  hsm,
  backup,
  key: z
    .string()
    .regex(/^[0-9a-zA-Z-]{1,127}$/, KEY_RULE)
    .optional()
    .describe('Bring back this key alone, with all its versions. Absent: replace everything in the HSM.'),
  reason: reason.describe('Why; journaled, and told to those who approve.'),
  confirm: z
    .string()
    .default('')
    .describe('The name of the HSM, typed by the person who asks. May be left out for dryRun=true.'),
  accepts: z
    .array(z.enum(['externalKeys', 'unverifiedBackup'], 'must be one of externalKeys, unverifiedBackup'))
    .default([])
    .describe('Dangers that this request accepts, on the record.'),
});

export const restoreDecision = z.strictObject({
  decision: z.enum(['approve', 'reject'], 'must be approve or reject'),
  note: z.string().trim().max(500, 'must have 500 characters at most').default('').describe('Told to who asked.'),
});

export const backupRoutes: readonly OperatorRoute[] = [
  {
    operation: 'listBackups',
    method: 'GET',
    path: 'backups',
    summary: 'The catalogue of backups, the newest of each HSM first.',
    anyOf: EVERYBODY,
    params: none,
    query: none,
    answers: { 200: 'The catalogue.' },
  },
  {
    operation: 'showBackup',
    method: 'GET',
    path: 'backups/{hsm}/{id}',
    summary: 'One backup, and what its manifest says it holds.',
    anyOf: EVERYBODY,
    params: z.strictObject({ hsm, id: backup }),
    query: none,
    answers: { 200: 'The backup.' },
  },
  {
    operation: 'requestBackup',
    method: 'POST',
    path: 'backups',
    summary: 'Back an HSM up now, copy, verify and lock it.',
    anyOf: ['Operator'],
    params: none,
    query: none,
    body: backupRequest,
    answers: { 202: 'Accepted: follow Location.' },
  },
  {
    operation: 'previewRetention',
    method: 'POST',
    path: 'backups/retention',
    summary:
      'What the retention would remove of an HSM now, what of it something holds, and why it keeps the rest. Only as a dry run.',
    anyOf: EVERYBODY,
    params: none,
    query: z.strictObject({
      dryRun: z.literal('true', 'must be true: retention is applied by itself after each backup'),
    }),
    body: retentionRequest,
    answers: { 200: 'What would go.' },
  },
  {
    operation: 'listRestores',
    method: 'GET',
    path: 'restores',
    summary: 'Every restore that was asked for, the newest first.',
    anyOf: EVERYBODY,
    params: none,
    query: none,
    answers: { 200: 'The restores.' },
  },
  {
    operation: 'showRestore',
    method: 'GET',
    path: 'restores/{id}',
    summary: 'One restore: its request, its decision, its outcome and its report.',
    anyOf: EVERYBODY,
    params: z.strictObject({ id: restore }),
    query: none,
    answers: { 200: 'The restore.' },
  },
  {
    operation: 'requestRestore',
    method: 'POST',
    path: 'restores',
    summary: 'Ask for an HSM, or one purged key, to be restored from a backup. Another person has to approve it.',
    anyOf: ['Operator'],
    params: none,
    query: dryRun,
    body: restoreRequest,
    answers: { 200: 'What it would do, for dryRun=true.', 202: 'Asked for: it waits for an approval.' },
  },
  {
    operation: 'decideRestore',
    method: 'POST',
    path: 'restores/{id}/decision',
    summary: 'Approve or reject a restore that another person asked for.',
    anyOf: ['Approver'],
    params: z.strictObject({ id: restore }),
    query: none,
    body: restoreDecision,
    answers: { 202: 'Decided: the restore goes on, or ends.' },
  },
];
