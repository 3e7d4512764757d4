import { app, type InvocationContext, type Timer } from '@azure/functions';
import * as df from 'durable-functions';
import { createLog } from '../../shared/log.ts';
import { RELAY_ID } from '../instance-ids.ts';
import { createStarter } from '../start-once.ts';

/** Every minute: events wait no longer than that for their webhooks. Not registered where there is no webhook. */
export function webhookRelayTimer(webhooks: readonly unknown[]): void {
  if (webhooks.length === 0) return;
  app.timer('webhookRelayTimer', {
    schedule: '0 * * * * *',
    extraInputs: [df.input.durableClient()],
    handler: async (_timer: Timer, context: InvocationContext) => {
      const outcome = await createStarter(df.getClient(context)).startOnce('relayWaitingCalls', RELAY_ID, {});
      createLog(context).debug('RelayAsked', { outcome });
    },
  });
}
