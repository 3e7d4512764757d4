import { adoptionActivities } from '../activities/adoption.ts';
import { retirementActivities } from '../activities/retirement.ts';
import type { World } from '../world.ts';

/** The activities of adoption, which are loaded together. */
export const adoption = (world: World) => ({
  ...adoptionActivities(world),
  ...retirementActivities(world),
});
