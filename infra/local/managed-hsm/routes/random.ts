import { randomBytes } from 'node:crypto';
import { parseBody, randomBytesBody } from '../bodies.ts';
import { atHsm, ok, type Route } from './route.ts';

export const randomRoutes = (): Route[] => [
  {
    method: 'POST',
    path: '/rng',
    operation: 'RandomBytesGet',
    dataAction: 'rng/action',
    scope: atHsm,
    handle(call) {
      const { count } = parseBody(randomBytesBody, call.body());
      return ok({ value: randomBytes(count).toString('base64url') });
    },
  },
];
