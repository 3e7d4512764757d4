import { heartbeatActivities } from '../activities/heartbeats.ts';
import { notificationActivities } from '../activities/notifications.ts';
import { webhookActivities } from '../activities/webhooks.ts';
import type { World } from '../world.ts';

/** The activities of notification, which are loaded together. */
export const notification = (world: World) => ({
  ...notificationActivities(world),
  ...webhookActivities(world),
  ...heartbeatActivities(world),
});
