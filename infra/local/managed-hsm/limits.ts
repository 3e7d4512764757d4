import { performance } from 'node:perf_hooks';
import { HsmError } from './errors.ts';

/** Source: learn.microsoft.com/azure/key-vault/managed-hsm/service-limits. */
export const MAX_KEYS = 5000;
export const MAX_VERSIONS = 100;
export const MAX_CUSTOM_ROLES = 50;
export const MAX_ASSIGNMENTS_AT_HSM = 50;
export const MAX_ASSIGNMENTS_AT_KEY = 10;
export const MAX_TAGS = 15;
export const MAX_TAG_LENGTH = 256;
export const MAX_PAGE = 25;
export const MAX_RANDOM_BYTES = 128;

export type RateClass = 'create' | 'delete' | 'purge' | 'backup' | 'restore' | 'get';

/** Calls a second. Source: managed-hsm/scaling-guidance; rotate is not listed and counted as create, because it makes a key. */
const RATES: Record<RateClass, number> = { create: 1, delete: 10, purge: 10, backup: 10, restore: 10, get: 1100 };

/** One token bucket a class, of one second's worth. Real time, because it protects hardware and clients wait in real time. */
export function createThrottle(now: () => number = () => performance.now()): (rateClass: RateClass) => void {
  const buckets = new Map<RateClass, { tokens: number; at: number }>();
  return (rateClass) => {
    const rate = RATES[rateClass];
    const at = now();
    const bucket = buckets.get(rateClass) ?? { tokens: rate, at };
    const tokens = Math.min(rate, bucket.tokens + ((at - bucket.at) / 1000) * rate);
    buckets.set(rateClass, { tokens: tokens < 1 ? tokens : tokens - 1, at });
    // The body and header of a 429 of a Managed HSM are not published: these are a vault's.
    if (tokens < 1) {
      throw new HsmError(429, 'Throttled', 'Request was not processed because too many requests were received.', {
        headers: { 'retry-after': '1' },
      });
    }
  };
}
