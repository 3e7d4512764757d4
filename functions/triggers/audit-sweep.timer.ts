import { app, type InvocationContext, type Timer } from '@azure/functions';
import * as df from 'durable-functions';
import { createLog } from '../../shared/log.ts';
import { detectionId } from '../instance-ids.ts';
import { createStarter } from '../start-once.ts';

/** Has the audit log of each HSM read from where it was judged last, so a missed run delays and loses nothing. */
export function auditSweepTimer(hsms: { name: string }[]): void {
  app.timer('auditSweepTimer', {
    schedule: '%MHSM_AUDIT_SCHEDULE%',
    extraInputs: [df.input.durableClient()],
    handler: async (timer: Timer, context: InvocationContext) => {
      const starter = createStarter(df.getClient(context));
      const log = createLog(context);
      for (const { name: hsm } of hsms) {
        const outcome = await starter.startOnce('detectAnomalies', detectionId(hsm), { hsm });
        log.info('DetectionAsked', { hsm, outcome, pastDue: timer.isPastDue });
      }
    },
  });
}
