import { app } from '@azure/functions';
import * as df from 'durable-functions';
import { type EventRules, onKeyEvent } from './key-event.ts';

/** Key events pushed by Event Grid, where the app has a public or otherwise reachable inbound side. */
export function keyEventEventGrid(rules: EventRules): void {
  app.eventGrid('keyEventEventGrid', { extraInputs: [df.input.durableClient()], handler: onKeyEvent(rules) });
}
