import { queueAgain, startRelay } from '../activities/outbox.ts';
import { forgetUndelivered, listUndelivered, readUndelivered, type Undelivered } from '../activities/undelivered.ts';
import { redeliveryId, relayId } from '../instance-ids.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
import { ProblemError } from './problem.ts';

export type NotificationOperation = 'listNotifications' | 'redeliverNotification';

/** As many as a person looks through; and a count that says whether a receiver is down. */
const MOST_LISTED = 200;
const MOST_COUNTED = 1000;

export async function listNotifications(world: World): Promise<Answer> {
  const { undelivered, more } = await listUndelivered(world, MOST_LISTED);
  let waiting = 0;
  for await (const _ of world.documents.list('state', 'outbox/')) {
    if (++waiting >= MOST_COUNTED) break;
  }
  return {
    status: 200,
    body: { undelivered: undelivered.map(shown), more, waiting, webhooks: world.webhooks.names },
  };
}

/** Sends again what was given up. Nothing is forgotten before the next attempt has settled, or waits in the outbox. */
export async function redeliverNotification(
  world: World,
  starter: Starter,
  id: string,
  dryRun: boolean,
): Promise<Answer> {
  const found = await readUndelivered(world, id);
  if (!found) {
    throw new ProblemError({
      status: 404,
      code: 'NotificationNotFound',
      title: 'Nothing undelivered has this id',
      detail: `${id} was delivered since, or is being sent again, or was never given up.`,
      nextStep: 'Use an id that GET /api/notifications lists.',
    });
  }
  if (dryRun) return { status: 200, body: { dryRun: true, ...shown(found) } };
  if (found.channel === 'mail') {
    const { notice, told, to, lastToldOn } = found;
    const instance = redeliveryId(id);
    const again = { to, ...(lastToldOn === undefined ? {} : { lastToldOn }) };
    await starter.startOnce('deliverNotification', instance, { id: notice, notice: told, again });
    return accepted(instance);
  }
  const { webhook, message } = found.queued;
  const relay = relayId(webhook, message);
  // A relay that is just giving up empties the outbox last, and would take away what is put there now.
  if (await starter.isUnderWay(relay)) throw underWay(relay);
  await queueAgain(world, found.queued);
  await forgetUndelivered(world, id);
  await startRelay(starter, webhook, message);
  return accepted(relay);
}

const underWay = (relay: string) =>
  new ProblemError({
    status: 409,
    code: 'NotificationUnderWay',
    title: 'It is still being tried',
    detail: `${relay} has not ended.`,
    nextStep: `Look at GET /api/operations/${relay}, and ask again once it has ended.`,
  });

function shown(each: Undelivered) {
  const { id, since, why, nextStep } = each;
  const what =
    each.channel === 'mail'
      ? { channel: 'mail', type: each.told.kind, notice: each.notice, to: each.to }
      : { channel: 'webhook', type: each.queued.type, webhook: each.queued.webhook, message: each.queued.message };
  return { id, ...what, since, why, nextStep };
}

const accepted = (id: string): Answer => ({
  status: 202,
  headers: { location: `/api/operations/${id}`, 'retry-after': '10' },
  body: { id, status: 'accepted' },
});
