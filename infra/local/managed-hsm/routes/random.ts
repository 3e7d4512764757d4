import { randomBytes } from 'node:crypto';
import { badParameter } from '../errors.ts';
import { MAX_RANDOM_BYTES } from '../limits.ts';
import { atHsm, ok, type Route } from './route.ts';

export const randomRoutes = (): Route[] => [
  {
    method: 'POST',
    path: '/rng',
    operation: 'RandomBytesGet',
    dataAction: 'rng/action',
    scope: atHsm,
    handle(call) {
      const count = call.body().count;
      if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > MAX_RANDOM_BYTES) {
        throw badParameter(`count must be an integer from 1 to ${MAX_RANDOM_BYTES}.`);
      }
      return ok({ value: randomBytes(count).toString('base64url') });
    },
  },
];
