import type { DurableClient } from 'durable-functions';
import type * as z from 'zod';
import { RESTORE_DECIDED } from '../instance-ids.ts';
import { createStarter, wakeInstance } from '../start-once.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './authorise.ts';
import type { backupRequest, restoreDecision, restoreRequest } from './backup-routes.ts';
import { listBackups, previewRetention, requestBackup, showBackup } from './backups.ts';
import type { ParsedRequest } from './request.ts';
import { requestRestore } from './request-restore.ts';
import { decideRestore, listRestores, showRestore } from './restores.ts';

export type BackupOperation =
  | 'listBackups'
  | 'showBackup'
  | 'requestBackup'
  | 'previewRetention'
  | 'listRestores'
  | 'showRestore'
  | 'requestRestore'
  | 'decideRestore';

/** Backups and restores. The HSM that a body names was found to be one of this installation. */
export async function answerToBackups(
  world: World,
  client: DurableClient,
  operation: BackupOperation,
  { params, query, body, idempotencyKey }: ParsedRequest,
  caller: Caller,
): Promise<Answer> {
  const id = params.id ?? '';
  const same = idempotencyKey === undefined ? {} : { idempotencyKey };
  switch (operation) {
    case 'listBackups':
      return listBackups(world);
    case 'showBackup':
      return showBackup(world, params.hsm ?? '', id);
    case 'requestBackup':
      return requestBackup(world, createStarter(client), caller, {
        ...(body as z.infer<typeof backupRequest>),
        ...same,
      });
    case 'previewRetention':
      return previewRetention(world, (body as { hsm: string }).hsm);
    case 'listRestores':
      return listRestores(world);
    case 'showRestore':
      return showRestore(world, id);
    case 'requestRestore': {
      const { key, ...asked } = body as z.infer<typeof restoreRequest>;
      return requestRestore(world, createStarter(client), caller, {
        ...asked,
        ...(key === undefined ? {} : { key }),
        ...same,
        dryRun: query.dryRun === 'true',
      });
    }
    case 'decideRestore': {
      const wake = (instance: string) => wakeInstance(client, instance, RESTORE_DECIDED);
      return decideRestore(world, wake, caller, { id, ...(body as z.infer<typeof restoreDecision>) });
    }
  }
}
