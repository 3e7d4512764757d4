import type { OrchestrationContext, Task } from 'durable-functions';
import { steps } from '../steps.ts';

/** Hands the calls that wait for webhooks over to relays. */
export function* relayWaitingCalls(context: OrchestrationContext): Generator<Task, unknown, unknown> {
  return yield* steps(context).startRelays({});
}
