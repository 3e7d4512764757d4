import { app, type InvocationContext, type Timer } from '@azure/functions';
import * as df from 'durable-functions';
import { createLog } from '../../shared/log.ts';
import type { World } from '../world.ts';

const DAY_MS = 86_400_000;

/** Drops histories of instances that ended longer ago than the retention; the journal keeps the record of what they did. */
export function historyPurgeTimer(retentionDays: number, world: () => Promise<World>): void {
  app.timer('historyPurgeTimer', {
    schedule: '%MHSM_PURGE_SCHEDULE%',
    extraInputs: [df.input.durableClient()],
    handler: async (_timer: Timer, context: InvocationContext) => {
      const [{ beat }, reached] = await Promise.all([import('../activities/heartbeats.ts'), world()]);
      const { instancesDeleted } = await df.getClient(context).purgeInstanceHistoryBy({
        createdTimeFrom: new Date(0),
        createdTimeTo: new Date(reached.clock.now().getTime() - retentionDays * DAY_MS),
        runtimeStatus: [
          df.OrchestrationRuntimeStatus.Completed,
          df.OrchestrationRuntimeStatus.Failed,
          df.OrchestrationRuntimeStatus.Terminated,
        ],
      });
      await beat(reached, 'purge');
      createLog(context).info('HistoryPurged', { instances: instancesDeleted, retentionDays });
    },
  });
}
