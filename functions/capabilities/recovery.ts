import { custodyWatchActivities } from '../activities/custody-watch.ts';
import { recoveryActivities } from '../activities/recovery.ts';
import type { World } from '../world.ts';

/** The activities of recovery, which are loaded together. */
export const recovery = (world: World) => ({
  ...custodyWatchActivities(world),
  ...recoveryActivities(world),
});
