import { app, type InvocationContext, type Timer } from '@azure/functions';
import * as df from 'durable-functions';
import { createLog } from '../../shared/log.ts';

const DAY_MS = 86_400_000;

/** Drops histories of instances that ended longer ago than the retention; the journal keeps the record of what they did. */
export function historyPurgeTimer(retentionDays: number, now: () => Date, ended: () => Promise<void>): void {
  app.timer('historyPurgeTimer', {
    schedule: '%MHSM_PURGE_SCHEDULE%',
    extraInputs: [df.input.durableClient()],
    handler: async (_timer: Timer, context: InvocationContext) => {
      const { instancesDeleted } = await df.getClient(context).purgeInstanceHistoryBy({
        createdTimeFrom: new Date(0),
        createdTimeTo: new Date(now().getTime() - retentionDays * DAY_MS),
        runtimeStatus: [
          df.OrchestrationRuntimeStatus.Completed,
          df.OrchestrationRuntimeStatus.Failed,
          df.OrchestrationRuntimeStatus.Terminated,
        ],
      });
      await ended();
      createLog(context).info('HistoryPurged', { instances: instancesDeleted, retentionDays });
    },
  });
}
