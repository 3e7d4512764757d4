import * as z from 'zod';
import type { Faults } from '../faults.ts';
import { Problem, parseBody } from './problem.ts';
import type { Route } from './routes.ts';

const SERVICES = ['hsm', 'identity', 'topic', 'mail', 'webhook', 'blob', 'queue', 'management', 'logs', '*'] as const;

const rule = z
  .strictObject({
    service: z.enum(SERVICES, { error: `is one of ${SERVICES.join(', ')}` }),
    operation: z.string().min(1, { error: 'is an operation name or *' }),
    where: z.record(z.string(), z.string()).optional(),
    status: z.number().int().min(400, { error: 'is 400 to 599' }).max(599, { error: 'is 400 to 599' }).optional(),
    code: z.string().optional(),
    message: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    lostReply: z.enum(['before', 'after'], { error: 'is before or after the effect' }).optional(),
    effect: z.string().optional(),
    delayMs: z.number().int().nonnegative().optional(),
    probability: z.number().gt(0, { error: 'is above 0, up to 1' }).max(1, { error: 'is above 0, up to 1' }).optional(),
    count: z.number().int().positive({ error: 'is at least 1' }).optional(),
  })
  .refine(
    ({ status, lostReply, effect, delayMs }) =>
      [status, lostReply, effect, delayMs].some((value) => value !== undefined),
    { error: 'needs a status, lostReply, effect or delayMs: it would do nothing', path: ['status'] },
  )
  .refine(({ service, effect }) => effect === undefined || service === 'hsm' || service === 'logs', {
    error: 'is for the services hsm and logs: the others have no named misbehaviour',
    path: ['effect'],
  });

export const faultRoutes = (faults: Faults): Route[] => [
  { method: 'GET', path: '/faults', purpose: 'The faults in force.', act: () => ({ value: faults.list() }) },
  {
    method: 'POST',
    path: '/faults',
    purpose: 'Makes an operation fail: by service, operation, attributes, chance and count.',
    example: { service: 'hsm', operation: 'KeyRotate', where: { key: 'sql-tde-core' }, status: 503, count: 2 },
    act: ({ body }) => {
      const entries = Object.entries(parseBody(rule, body())).filter(([, value]) => value !== undefined);
      return faults.add(Object.fromEntries(entries) as Parameters<Faults['add']>[0]);
    },
  },
  { method: 'DELETE', path: '/faults', purpose: 'Removes all faults.', act: () => faults.clear() },
  {
    method: 'DELETE',
    path: '/faults/{id}',
    purpose: 'Removes one fault.',
    act({ params }) {
      if (!faults.remove(params.id ?? '')) throw new Problem(404, 'ERR_NOT_FOUND', `There is no fault ${params.id}.`);
    },
  },
];
