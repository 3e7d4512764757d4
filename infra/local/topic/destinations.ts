import { randomUUID } from 'node:crypto';
import type { Caller } from '../call.ts';
import type { EstateClock } from '../clock.ts';
import type { StorageService } from '../storage/storage.ts';
import type { Delivery, Outcome, RecordedEvent } from './delivery.ts';
import type { Subscription } from './subscription.ts';

/** Event Grid waits this long for an answer. */
const ANSWER_WITHIN_MS = 30_000;
const SUCCESS = new Set([200, 201, 202, 203, 204]);
const ORIGIN = 'eventgrid.azure.net';

export interface Destinations {
  /** Tries to deliver once. */
  send(subscription: Subscription, body: unknown): Promise<Outcome>;
  deadLetter(subscription: Subscription, body: unknown, recorded: RecordedEvent, delivery: Delivery): Promise<void>;
  /** The handshake that proves that a webhook wants events. Resolves with undefined, or with why it failed. */
  validate(subscription: Subscription): Promise<string | undefined>;
  /** Forgets who has passed the handshake: the host is another process now. */
  forget(): void;
}

export function createDestinations(options: {
  clock: EstateClock;
  call: Caller;
  storage: StorageService;
  topicId: string;
  /** The host's address and its system key for the Event Grid webhook; undefined while it is down. */
  host(): { url: string; key: string } | undefined;
}): Destinations {
  const { clock, call, storage, topicId, host } = options;
  const validated = new Set<string>();

  const webhookUrl = ({ destination }: Subscription): string | undefined => {
    if (destination.kind === 'webhook') return destination.url;
    if (destination.kind !== 'function') return undefined;
    const at = host();
    return at && `${at.url}/runtime/webhooks/EventGrid?functionName=${destination.functionName}&code=${at.key}`;
  };

  const post = async (
    url: string,
    kind: string,
    subscription: Subscription,
    body: unknown,
  ): Promise<Outcome & { text: string }> => {
    try {
      const reply = await call({
        method: 'POST',
        url,
        timeoutMs: ANSWER_WITHIN_MS,
        headers: {
          'content-type': contentType(body),
          'aeg-event-type': kind,
          'aeg-subscription-name': subscription.name.toUpperCase(),
        },
        body: JSON.stringify(body),
      });
      const text = reply.body.toString('utf8');
      return { ok: SUCCESS.has(reply.status), status: reply.status, detail: `${reply.status}`, text };
    } catch (error) {
      return { ok: false, detail: error instanceof Error ? error.message : String(error), text: '' };
    }
  };

  const shakeHands = async (subscription: Subscription, url: string): Promise<string | undefined> => {
    if (subscription.schema === 'CloudEventSchemaV1_0') {
      // A Functions host answers OPTIONS itself. Source: CloudEvents 1.0 web hook specification, section 4.
      const reply = await call({ method: 'OPTIONS', url, headers: { 'webhook-request-origin': ORIGIN } });
      const allowed = String(reply.headers['webhook-allowed-origin'] ?? '');
      return [ORIGIN, '*'].includes(allowed)
        ? undefined
        : `OPTIONS answered ${reply.status} without WebHook-Allowed-Origin.`;
    }
    const validationCode = randomUUID();
    const event = {
      id: randomUUID(),
      topic: topicId,
      subject: '',
      data: { validationCode, validationUrl: '' },
      eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
      eventTime: clock.now().toISOString(),
      metadataVersion: '1',
      dataVersion: '1',
    };
    const reply = await post(url, 'SubscriptionValidation', subscription, [event]);
    // 202 is not accepted. Source: MicrosoftDocs/azure-docs, end-point-validation-event-grid-events-schema.
    return reply.status === 200 && reply.text.includes(validationCode) ? undefined : `Validation got ${reply.detail}.`;
  };

  const validate = async (subscription: Subscription): Promise<string | undefined> => {
    const url = webhookUrl(subscription);
    if (url === undefined) return subscription.destination.kind === 'queue' ? undefined : 'The host is down.';
    if (validated.has(subscription.name)) return undefined;
    const failure = await shakeHands(subscription, url).catch(String);
    if (failure === undefined) validated.add(subscription.name);
    return failure;
  };

  return {
    validate,
    forget: () => validated.clear(),
    async send(subscription, body) {
      if (subscription.destination.kind === 'queue') {
        const message = Buffer.from(JSON.stringify(body)).toString('base64');
        const status = await storage
          .putMessage(subscription.destination.queue, message)
          .catch((error: unknown) => String(error));
        return typeof status === 'string'
          ? { ok: false, detail: status }
          : { ok: SUCCESS.has(status), status, detail: `${status}` };
      }
      // Azure shakes hands once, when the subscription is made; here the endpoint may come up later than the topic.
      const refusal = await validate(subscription);
      const url = webhookUrl(subscription);
      if (refusal !== undefined || url === undefined) return { ok: false, detail: refusal ?? 'The host is down.' };
      const { text: _text, ...outcome } = await post(url, 'Notification', subscription, batch(body));
      return outcome;
    },
    async deadLetter(subscription, body, recorded, delivery) {
      const last = delivery.attempts.at(-1);
      const now = clock.now();
      const day = [now.getUTCFullYear(), now.getUTCMonth() + 1, now.getUTCDate(), now.getUTCHours()].join('/');
      const letter = {
        ...(body as object),
        deadLetterReason: delivery.reason,
        deliveryAttempts: delivery.attempts.length,
        lastDeliveryOutcome: outcomeName(last),
        publishTime: recorded.publishTime,
        lastDeliveryAttemptTime: last?.time,
      };
      const name = `${subscription.name.toUpperCase()}/${day}/${randomUUID()}.json`;
      await storage.putBlob(subscription.deadLetterContainer ?? '', name, JSON.stringify([letter]), 'application/json');
    },
  };
}

const isCloudEvent = (body: unknown) => typeof body === 'object' && body !== null && 'specversion' in body;

/** CloudEvents go out one by one, Event Grid events as an array, even of one. */
const batch = (body: unknown) => (isCloudEvent(body) ? body : [body]);

const contentType = (body: unknown): string =>
  isCloudEvent(body) ? 'application/cloudevents+json; charset=utf-8' : 'application/json; charset=utf-8';

const OUTCOMES: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  413: 'PayloadTooLarge',
  503: 'Busy',
};

const outcomeName = (last: Outcome | undefined): string =>
  last?.status === undefined ? 'TimedOut' : (OUTCOMES[last.status] ?? 'GenericError');
