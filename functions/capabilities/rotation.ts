import { keyFactActivities } from '../activities/key-facts.ts';
import { keyActivities } from '../activities/keys.ts';
import { proofActivities } from '../activities/proof.ts';
import { reconcileActivities } from '../activities/reconcile.ts';
import { rotationActivities } from '../activities/rotation.ts';
import { surveyActivities } from '../activities/survey.ts';
import type { World } from '../world.ts';

/** The activities of rotation, which are loaded together. */
export const rotation = (world: World) => ({
  ...keyActivities(world),
  ...rotationActivities(world),
  ...proofActivities(world),
  ...surveyActivities(world),
  ...reconcileActivities(world),
  ...keyFactActivities(world),
});
