import * as z from 'zod';
import type { OperatorRoute } from './routes.ts';

const EVERYBODY = ['Viewer', 'Operator', 'Approver', 'Auditor'] as const;

const SEVERITIES = ['Informational', 'Low', 'Medium', 'High', 'Critical'] as const;
const SINCE_RULE = 'must be a day or an instant with its zone';

const findingFilter = z.strictObject({
  hsm: z
    .string()
    .regex(/^[a-zA-Z][a-zA-Z0-9-]{2,23}$/, 'must be the name of a Managed HSM: 3 to 24 letters, digits and hyphens')
    .optional()
    .describe('Only of this HSM.'),
  severity: z
    .enum(SEVERITIES, `must be one of ${SEVERITIES.join(', ')}`)
    .optional()
    .describe('This severe at least. Absent: Low, so what our journal explains is left out.'),
  since: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/, SINCE_RULE)
    .refine((text) => !Number.isNaN(Date.parse(text)), SINCE_RULE)
    .optional()
    .describe('First found then or later. Absent: of the last seven days.'),
});

export const findingRoutes: readonly OperatorRoute[] = [
  {
    operation: 'listFindings',
    method: 'GET',
    path: 'findings',
    summary:
      'What detection found in the audit logs, the newest first; 500 at most. With it what people said of its incidents.',
    anyOf: EVERYBODY,
    params: z.strictObject({}),
    query: findingFilter,
    answers: { 200: 'The findings, whether there are more, and the verdicts of the last 30 days by detector.' },
  },
  {
    operation: 'showFinding',
    method: 'GET',
    path: 'findings/{id}',
    summary: 'One finding with its facts.',
    anyOf: EVERYBODY,
    params: z.strictObject({ id: z.string().regex(/^[0-9a-f]{32}$/, 'must be the id of a finding: 32 hex digits') }),
    query: z.strictObject({}),
    answers: { 200: 'The finding.' },
  },
];
