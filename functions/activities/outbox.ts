import type { LifecycleEvent } from '../../shared/events/lifecycle-event.ts';
import { routeWebhooks, type Tellable } from '../../shared/notification/route-webhooks.ts';
import { eventPayload, type WebhookPayload } from '../../shared/notification/webhook-payload.ts';
import type { Owners } from '../../shared/policy/document.ts';
import type { EventPublisher } from '../../shared/ports/event-publisher.ts';
import { relayId } from '../instance-ids.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';
import { policyInForce } from './policy-in-force.ts';
import { hex, utf8 } from './text.ts';

/** A call that waits for its webhook. It is composed once, so that every attempt sends and signs the same. */
export interface Queued {
  schema: 1;
  webhook: string;
  /** The webhook-id of the call. */
  message: string;
  /** With its prefix. */
  type: string;
  queuedOn: string;
  body: string;
}

export const outboxPath = (webhook: string, message: string): string => `outbox/${webhook}/${message}.json`;

type OutboxWorld = Pick<
  World,
  'installation' | 'hsms' | 'webhooks' | 'crypto' | 'documents' | 'clock' | 'fallbackRecipients'
>;

/**
 * Puts a call into the outbox of every webhook whose route wants it. `fact` names what is told, and where it is told again
 * the round: the same fact is the same call. What has been queued stays as it is.
 */
export async function queueCalls(
  world: OutboxWorld,
  owners: Owners,
  what: Tellable,
  fact: readonly string[],
  payload: WebhookPayload,
): Promise<{ webhook: string; message: string }[]> {
  const webhooks = routeWebhooks(world.webhooks.names, owners, what);
  const named = utf8([world.installation, what.kind, ...fact].join('\n'));
  const message = `msg-${hex(world.crypto.digest('SHA-256', named)).slice(0, 32)}`;
  const { type } = payload;
  const [queuedOn, body] = [world.clock.now().toISOString(), JSON.stringify(payload)];
  for (const webhook of webhooks) await queueAgain(world, { schema: 1, webhook, message, type, queuedOn, body });
  return webhooks.map((webhook) => ({ webhook, message }));
}

export const queueAgain = ({ documents }: Pick<World, 'documents'>, queued: Queued) =>
  documents.create('state', outboxPath(queued.webhook, queued.message), queued);

/**
 * Publishes to the topic what it first put into the outboxes: a crash between the two makes the step run again, and a topic
 * that is down keeps nothing from the webhooks.
 */
export function publishingToWebhooksToo(world: OutboxWorld, topic: EventPublisher): EventPublisher {
  if (world.webhooks.names.length === 0) return topic;
  return {
    async publish(events) {
      const { policy } = await policyInForce(world);
      for (const event of events) {
        const hsm = hsmOf(event);
        const what = { kind: 'event', type: event.type, ...(hsm === undefined ? {} : { hsm }) } as const;
        const payload = eventPayload(world.installation, event);
        await queueCalls(world, policy.owners, what, [event.source, event.id], payload);
      }
      await topic.publish(events);
    },
  };
}

function hsmOf({ data }: LifecycleEvent): string | undefined {
  const found = 'VaultName' in data ? data.VaultName : data.hsm;
  return typeof found === 'string' ? found : undefined;
}

export const startRelay = (starter: Starter, webhook: string, message: string) =>
  starter.startOnce('relayWebhook', relayId(webhook, message), { webhook, message });
