import * as z from 'zod';
import type { OperatorRoute } from './routes.ts';

const none = z.strictObject({});

export const notificationRoutes: readonly OperatorRoute[] = [
  {
    operation: 'listNotifications',
    method: 'GET',
    path: 'notifications',
    summary: 'Mails and calls of webhooks that were given up, and how many calls wait.',
    anyOf: ['Viewer', 'Operator', 'Approver', 'Auditor'],
    params: none,
    query: none,
    answers: { 200: 'What was not delivered, with why and what to do.' },
  },
  {
    operation: 'redeliverNotification',
    method: 'POST',
    path: 'notifications/{id}/redelivery',
    summary: 'Send again what was given up: the same message, to those who have not had it.',
    anyOf: ['Operator'],
    params: z.strictObject({
      id: z.string().regex(/^(mail|webhook)-[0-9A-Za-z._-]{1,500}$/, 'must be an id that GET /api/notifications lists'),
    }),
    query: z.strictObject({ dryRun: z.enum(['true', 'false'], 'must be true or false').default('false') }),
    answers: { 200: 'What would be sent to whom, for dryRun=true.', 202: 'Accepted: follow Location.' },
  },
];
