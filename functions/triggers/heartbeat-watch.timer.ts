import { app, type InvocationContext, type Timer } from '@azure/functions';
import * as df from 'durable-functions';
import { createLog } from '../../shared/log.ts';
import { HEARTBEAT_WATCH_ID } from '../instance-ids.ts';
import { createStarter } from '../start-once.ts';

/** Looks whether everything that runs by the clock still does. Who looks after this one: a probe of GET /api/health. */
export function heartbeatWatchTimer(): void {
  app.timer('heartbeatWatchTimer', {
    schedule: '%MHSM_HEARTBEAT_SCHEDULE%',
    extraInputs: [df.input.durableClient()],
    handler: async (_timer: Timer, context: InvocationContext) => {
      const starter = createStarter(df.getClient(context));
      const outcome = await starter.startOnce('watchHeartbeats', HEARTBEAT_WATCH_ID, {});
      createLog(context).info('HeartbeatWatchAsked', { outcome });
    },
  });
}
