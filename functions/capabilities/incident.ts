import { incidentContainmentActivities } from '../activities/incident-containment.ts';
import { incidentEvidenceActivities } from '../activities/incident-evidence.ts';
import { incidentJoiningActivities } from '../activities/incident-joining.ts';
import { incidentNoticeActivities } from '../activities/incident-notices.ts';
import { incidentPlanningActivities } from '../activities/incident-planning.ts';
import { incidentRotationActivities } from '../activities/incident-rotation.ts';
import { incidentActivities } from '../activities/incidents.ts';
import type { World } from '../world.ts';

/** The activities of incident, which are loaded together. */
export const incident = (world: World) => ({
  ...incidentJoiningActivities(world),
  ...incidentEvidenceActivities(world),
  ...incidentPlanningActivities(world),
  ...incidentContainmentActivities(world),
  ...incidentRotationActivities(world),
  ...incidentNoticeActivities(world),
  ...incidentActivities(world),
});
