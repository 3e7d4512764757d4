import { app, type InvocationContext, type Timer } from '@azure/functions';
import * as df from 'durable-functions';
import { createLog } from '../../shared/log.ts';
import { adoptionWatchId } from '../instance-ids.ts';
import { lookedAfter } from '../looked-after.ts';
import { createStarter } from '../start-once.ts';

/** Looks who still uses old key versions. Registered where there are logs to read. */
export function adoptionWatchTimer(hsms: { name: string; drill?: string }[], schedule: string | undefined): void {
  if (schedule === undefined) return;
  app.timer('adoptionWatchTimer', {
    schedule,
    extraInputs: [df.input.durableClient()],
    handler: async (_timer: Timer, context: InvocationContext) => {
      const starter = createStarter(df.getClient(context));
      for (const { name: hsm } of lookedAfter(hsms)) {
        const outcome = await starter.startOnce('watchAdoption', adoptionWatchId(hsm), { hsm });
        createLog(context).info('AdoptionWatchAsked', { hsm, outcome });
      }
    },
  });
}
