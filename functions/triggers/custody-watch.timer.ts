import { app, type InvocationContext, type Timer } from '@azure/functions';
import * as df from 'durable-functions';
import { createLog } from '../../shared/log.ts';
import { custodyWatchId } from '../instance-ids.ts';
import { lookedAfter } from '../looked-after.ts';
import { createStarter } from '../start-once.ts';

/** Looks whether the quorum of each security domain can be reached, and what is due in its custody. */
export function custodyWatchTimer(hsms: { name: string; drill?: string }[]): void {
  app.timer('custodyWatchTimer', {
    schedule: '%MHSM_CUSTODY_SCHEDULE%',
    extraInputs: [df.input.durableClient()],
    handler: async (_timer: Timer, context: InvocationContext) => {
      const starter = createStarter(df.getClient(context));
      for (const { name: hsm } of lookedAfter(hsms)) {
        const outcome = await starter.startOnce('watchCustody', custodyWatchId(hsm), { hsm });
        createLog(context).info('CustodyWatchAsked', { hsm, outcome });
      }
    },
  });
}
