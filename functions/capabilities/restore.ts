import { restoreNoticeActivities } from '../activities/restore-notices.ts';
import { restoreReportActivities } from '../activities/restore-report.ts';
import { restoreStagingActivities } from '../activities/restore-staging.ts';
import { restoreActivities } from '../activities/restores.ts';
import type { World } from '../world.ts';

/** The activities of restore, which are loaded together. */
export const restore = (world: World) => ({
  ...restoreActivities(world),
  ...restoreStagingActivities(world),
  ...restoreReportActivities(world),
  ...restoreNoticeActivities(world),
});
