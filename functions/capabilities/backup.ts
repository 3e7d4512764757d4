import { backupCopyActivities } from '../activities/backup-copies.ts';
import { backupNoticeActivities } from '../activities/backup-notices.ts';
import { backupPruningActivities } from '../activities/backup-pruning.ts';
import { backupTidyingActivities } from '../activities/backup-tidying.ts';
import { backupWatchActivities } from '../activities/backup-watch.ts';
import { backupActivities } from '../activities/backups.ts';
import { hsmLockActivities } from '../activities/hsm-lock.ts';
import type { World } from '../world.ts';

/** The activities of backup, which are loaded together. */
export const backup = (world: World) => ({
  ...hsmLockActivities(world),
  ...backupActivities(world),
  ...backupCopyActivities(world),
  ...backupWatchActivities(world),
  ...backupPruningActivities(world),
  ...backupTidyingActivities(world),
  ...backupNoticeActivities(world),
});
