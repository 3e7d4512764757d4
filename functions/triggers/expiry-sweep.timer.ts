import { app, type InvocationContext, type Timer } from '@azure/functions';
import * as df from 'durable-functions';
import { createLog } from '../../shared/log.ts';
import { sweepId } from '../instance-ids.ts';
import { lookedAfter } from '../looked-after.ts';
import { createStarter } from '../start-once.ts';

/** Starts the sweep of each HSM. A sweep works on everything that is due, so a missed run delays and loses nothing. */
export function expirySweepTimer(hsms: { name: string; drill?: string }[]): void {
  app.timer('expirySweepTimer', {
    schedule: '%MHSM_SWEEP_SCHEDULE%',
    extraInputs: [df.input.durableClient()],
    handler: async (timer: Timer, context: InvocationContext) => {
      const starter = createStarter(df.getClient(context));
      const log = createLog(context);
      for (const { name: hsm } of lookedAfter(hsms)) {
        const outcome = await starter.startOnce('sweepExpiringKeys', sweepId(hsm), { hsm });
        log.info('SweepAsked', { hsm, outcome, pastDue: timer.isPastDue });
      }
    },
  });
}
