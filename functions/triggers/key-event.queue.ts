import { app } from '@azure/functions';
import * as df from 'durable-functions';
import { type EventRules, onKeyEvent } from './key-event.ts';

/**
 * Key events through a storage queue: Event Grid cannot push into a private endpoint, so the topic delivers to a queue with
 * its identity. https://learn.microsoft.com/azure/event-grid/consume-private-endpoints
 */
export function keyEventQueue(rules: EventRules): void {
  app.storageQueue('keyEventQueue', {
    queueName: '%MHSM_EVENTS_QUEUE%',
    connection: 'MHSM_EVENTS',
    extraInputs: [df.input.durableClient()],
    handler: onKeyEvent(rules),
  });
}
