import type { RetryOptions } from './actions.ts';

/** The extension's cap where the options name none. Source: RetryOptionsConverter.cs. */
const MAX_RETRY_INTERVAL_MS = 6 * 24 * 3_600_000;

/** Milliseconds to wait after failed attempt `attempt` (from 1). Nothing after the last: see `replay.ts`. */
export function retryDelayMs(options: RetryOptions, attempt: number): number {
  if (attempt >= options.maxNumberOfAttempts) return 0;
  const delay = options.firstRetryIntervalInMilliseconds * (options.backoffCoefficient ?? 1) ** (attempt - 1);
  return Math.min(delay, options.maxRetryIntervalInMilliseconds ?? MAX_RETRY_INTERVAL_MS);
}
