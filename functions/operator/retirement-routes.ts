import * as z from 'zod';
import type { OperatorRoute } from './routes.ts';

const EVERYBODY = ['Viewer', 'Operator', 'Approver', 'Auditor'] as const;
const REASON_RULE = 'must say why, in 3 to 500 characters';
const none = z.strictObject({});
const retirement = z.string().regex(/^retire-[0-9a-zA-Z-]{1,93}$/, 'must be the id of a retirement');

export const retirementRequest = z.strictObject({
  reason: z
    .string({ error: REASON_RULE })
    .trim()
    .min(3, REASON_RULE)
    .max(500, REASON_RULE)
    .describe('Why; journaled, and told to those who approve.'),
});

export const retirementDecision = z.strictObject({
  decision: z.enum(['approve', 'reject'], 'must be approve or reject'),
  note: z.string().trim().max(500, 'must have 500 characters at most').default('').describe('Told to who asked.'),
});

export const retirementRoutes: readonly OperatorRoute[] = [
  {
    operation: 'requestRetirement',
    method: 'POST',
    path: 'keys/{hsm}/{name}/versions/{version}/retirement',
    summary: 'Disable an old version that nobody uses any more, after another person has approved it.',
    anyOf: ['Operator'],
    params: z.strictObject({
      hsm: z
        .string()
        .regex(
          /^[a-zA-Z][a-zA-Z0-9-]{2,23}$/,
          'must be the name of a Managed HSM: 3 to 24 letters, digits and hyphens',
        ),
      name: z.string().regex(/^[0-9a-zA-Z-]{1,127}$/, 'must be a key name: 1 to 127 letters, digits and hyphens'),
      version: z.string().regex(/^[0-9a-f]{32}$/, 'must be a key version: 32 hex digits'),
    }),
    query: z.strictObject({ dryRun: z.enum(['true', 'false'], 'must be true or false').default('false') }),
    body: retirementRequest,
    answers: { 200: 'Whether it may be, and who uses what, for dryRun=true.', 202: 'Accepted: follow Location.' },
  },
  {
    operation: 'listRetirements',
    method: 'GET',
    path: 'retirements',
    summary: 'Every retirement that was asked for, the newest first.',
    anyOf: EVERYBODY,
    params: none,
    query: none,
    answers: { 200: 'The retirements.' },
  },
  {
    operation: 'showRetirement',
    method: 'GET',
    path: 'retirements/{id}',
    summary: 'One retirement.',
    anyOf: EVERYBODY,
    params: z.strictObject({ id: retirement }),
    query: none,
    answers: { 200: 'The retirement.' },
  },
  {
    operation: 'decideRetirement',
    method: 'POST',
    path: 'retirements/{id}/decision',
    summary: 'Approve or reject a retirement that somebody else asked for.',
    anyOf: ['Approver'],
    params: z.strictObject({ id: retirement }),
    query: none,
    body: retirementDecision,
    answers: { 202: 'Decided: follow Location.' },
  },
];
