import { app, type InvocationContext, type Timer } from '@azure/functions';
import * as df from 'durable-functions';
import { createLog } from '../../shared/log.ts';
import { backupWatchId } from '../instance-ids.ts';
import { lookedAfter } from '../looked-after.ts';
import { createStarter } from '../start-once.ts';

/** Looks whether a backup is due, and how old the newest one is. */
export function backupWatchTimer(hsms: { name: string; drill?: string }[]): void {
  app.timer('backupWatchTimer', {
    schedule: '%MHSM_BACKUP_SCHEDULE%',
    extraInputs: [df.input.durableClient()],
    handler: async (_timer: Timer, context: InvocationContext) => {
      const starter = createStarter(df.getClient(context));
      for (const { name: hsm } of lookedAfter(hsms)) {
        const outcome = await starter.startOnce('watchBackups', backupWatchId(hsm), { hsm });
        createLog(context).info('BackupWatchAsked', { hsm, outcome });
      }
    },
  });
}
