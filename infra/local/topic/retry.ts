import type { Destination, Subscription } from './subscription.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

// Source: https://learn.microsoft.com/azure/event-grid/delivery-and-retry. Azure adds some randomness and may skip
// attempts for an endpoint that looks unhealthy; here the waits are exact, so that a moved clock meets them.
const WAITS = [10 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR];
const LAST_WAIT = 12 * HOUR;
/** Dead-lettering waits a while after the last attempt. */
export const DEAD_LETTER_DELAY_MS = 5 * MINUTE;
/** An event is dropped when its container could not be written for this long. */
export const DEAD_LETTER_PATIENCE_MS = 4 * HOUR;

export type NextStep = { kind: 'retry'; afterMs: number } | { kind: 'giveUp'; reason: DeadLetterReason };
export type DeadLetterReason = 'MaxDeliveryAttemptsExceeded' | 'TimeToLiveExceeded' | 'UndeliverableDueToError';

/** What follows a failed attempt. `status` is absent when no answer came; `ageMs` counts from the publishing. */
export function afterFailure(
  subscription: Subscription,
  failure: { status?: number; attempts: number; ageMs: number },
): NextStep {
  const { status, attempts, ageMs } = failure;
  if (status !== undefined && isFinal(status, subscription.destination)) {
    return { kind: 'giveUp', reason: 'UndeliverableDueToError' };
  }
  if (attempts >= (subscription.maxDeliveryAttempts ?? 30))
    return { kind: 'giveUp', reason: 'MaxDeliveryAttemptsExceeded' };
  const afterMs = Math.max(WAITS[attempts - 1] ?? LAST_WAIT, shortestWait(status));
  if (ageMs + afterMs > (subscription.eventTimeToLiveMinutes ?? 1440) * MINUTE) {
    return { kind: 'giveUp', reason: 'TimeToLiveExceeded' };
  }
  return { kind: 'retry', afterMs };
}

/** Statuses that no repetition mends: they differ between webhooks and Azure resources. */
const isFinal = (status: number, destination: Destination): boolean =>
  status === 400 || status === 413 || status === 403 || (status === 401 && destination.kind !== 'queue');

const shortestWait = (status: number | undefined): number =>
  status === 404 ? 5 * MINUTE : status === 408 ? 2 * MINUTE : status === 503 ? 30 * SECOND : 10 * SECOND;
