import { detectionActivities } from '../activities/detection.ts';
import { detectionBaselineActivities } from '../activities/detection-baseline.ts';
import { detectionBlindnessActivities } from '../activities/detection-blindness.ts';
import { detectionCanaryActivities } from '../activities/detection-canary.ts';
import type { World } from '../world.ts';

/** The activities of detection, which are loaded together. */
export const detection = (world: World) => ({
  ...detectionActivities(world),
  ...detectionBaselineActivities(world),
  ...detectionBlindnessActivities(world),
  ...detectionCanaryActivities(world),
});
