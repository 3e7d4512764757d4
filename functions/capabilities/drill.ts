import { drillNoticeActivities } from '../activities/drill-notices.ts';
import { drillReportActivities } from '../activities/drill-reports.ts';
import { drillSentinelActivities } from '../activities/drill-sentinels.ts';
import { drillTearDownActivities } from '../activities/drill-tear-down.ts';
import { drillActivities } from '../activities/drills.ts';
import type { World } from '../world.ts';

/** The activities of drill, which are loaded together. */
export const drill = (world: World) => ({
  ...drillActivities(world),
  ...drillSentinelActivities(world),
  ...drillReportActivities(world),
  ...drillNoticeActivities(world),
  ...drillTearDownActivities(world),
});
