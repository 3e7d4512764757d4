import { timingSafeEqual } from 'node:crypto';
import type { Caller } from '../call.ts';
import type { Estate, Service } from '../estate.ts';
import { type Answer, json, type Listener, listen, type Request } from '../http.ts';
import type { StorageService } from '../storage/storage.ts';
import { CONTROL, createDeliveries, type Deliveries, type Delivery, type RecordedEvent } from './delivery.ts';
import { createDestinations } from './destinations.ts';
import { InvalidEvents, readEvents, type Schema } from './events.ts';
import type { Subscription } from './subscription.ts';

/** Audience of Event Grid's data plane. */
const AUDIENCE = 'https://eventgrid.azure.net';
const MAX_BATCH_BYTES = 1024 * 1024;

export interface TopicOptions {
  port?: number;
  estate: Estate;
  storage: StorageService;
  call: Caller;
  accessKey: string;
  /** Resource id that Event Grid events get as their `topic`. */
  topicId: string;
  /** The one schema that publishers must use. */
  inputSchema: Schema;
  subscriptions: readonly Subscription[];
  /** Object ids with the role EventGrid Data Sender. */
  senders: readonly string[];
  host(): { url: string; key: string } | undefined;
  onChange?(event: RecordedEvent, delivery?: Delivery): void;
}

export interface TopicService extends Service {
  /** What clients publish to: `https://localhost:{port}/api/events`. */
  readonly endpoint: string;
  readonly events: Deliveries['events'];
  readonly handling: Deliveries['handling'];
  /** Puts an event in as if published, whoever asks: forged ones, and those of foreign topics. */
  publish(body: unknown, schema: Schema): RecordedEvent[];
  /** Shakes hands with the endpoints of a host that has come up and takes up what waited for it. */
  hostIsUp(): Promise<void>;
}

/** A custom Event Grid topic with its subscriptions. */
export function createTopic(options: TopicOptions): TopicService {
  const { estate, inputSchema, subscriptions, storage, call, topicId } = options;
  for (const subscription of subscriptions) {
    // Our reading: Event Grid is not known to turn CloudEvents into another schema, so such an estate is refused.
    if (inputSchema === 'CloudEventSchemaV1_0' && subscription.schema !== inputSchema) {
      throw new Error(`Subscription ${subscription.name}: a topic that takes CloudEvents delivers CloudEvents only.`);
    }
  }
  const destinations = createDestinations({ clock: estate.clock, call, storage, topicId, host: options.host });
  const deliveries = createDeliveries({
    clock: estate.clock,
    subscriptions,
    send: destinations.send,
    deadLetter: destinations.deadLetter,
    onChange: (event, delivery) => options.onChange?.(event, delivery),
  });
  let listener: Listener | undefined;
  let url = '';

  const handle = async (request: Request): Promise<Answer> => {
    if (request.path !== '/api/events' || request.method !== 'POST')
      return failure(404, 'NotFound', 'POST /api/events.');
    const fault = await estate.faults.meet('topic', 'Publish');
    if (fault.kind === 'lostReply' && fault.when === 'before') return { destroy: true };
    if (fault.kind === 'answer') return failure(fault.status, fault.code, fault.message, fault.headers);
    const publisher = await authorize(request, options);
    if (typeof publisher !== 'string') return publisher;
    if (request.body.length > MAX_BATCH_BYTES) {
      return failure(413, 'PayloadTooLarge', `A batch holds ${MAX_BATCH_BYTES} bytes at most.`);
    }
    const contentType = request.headers['content-type'] ?? '';
    const schema: Schema = contentType.startsWith('application/cloudevents')
      ? 'CloudEventSchemaV1_0'
      : 'EventGridSchema';
    if (schema !== inputSchema) {
      return failure(
        400,
        'BadRequest',
        `This topic takes ${inputSchema}; the content type ${contentType} is not of it.`,
      );
    }
    try {
      for (const event of readEvents(json(request), schema, topicId)) deliveries.take(event, publisher);
    } catch (error) {
      if (error instanceof InvalidEvents || error instanceof SyntaxError)
        return failure(400, 'BadRequest', error.message);
      throw error;
    }
    return fault.kind === 'lostReply' ? { destroy: true } : { status: 200 };
  };

  return {
    name: 'topic',
    get url() {
      return url;
    },
    get endpoint() {
      return `${url}/api/events`;
    },
    events: deliveries.events,
    handling: deliveries.handling,
    publish: (body, schema) => readEvents(body, schema, topicId).map((event) => deliveries.take(event, CONTROL)),
    async hostIsUp() {
      destinations.forget();
      const waiting = subscriptions.filter((one) => one.destination.kind === 'function');
      for (const subscription of waiting) {
        const failed = await destinations.validate(subscription);
        if (failed) console.error(`Event Grid subscription ${subscription.name}: handshake failed. ${failed}`);
      }
    },
    async start() {
      listener = await listen({ port: options.port ?? 0, tls: estate.tls, origin: 'https://localhost', handle });
      url = `https://localhost:${listener.port}`;
      deliveries.resume();
    },
    stop: async () => {
      await listener?.close();
    },
    save: () => ({ events: deliveries.events }),
    load: (saved) => deliveries.restore((saved as { events: RecordedEvent[] }).events),
    reset: () => deliveries.clear(),
  };
}

/** The publisher's name, or why it may not publish. */
async function authorize(request: Request, { estate, accessKey, senders }: TopicOptions): Promise<string | Answer> {
  const key = request.headers['aeg-sas-key'];
  if (key !== undefined) {
    const [given, expected] = [Buffer.from(String(key)), Buffer.from(accessKey)];
    if (given.length === expected.length && timingSafeEqual(given, expected)) return 'access key';
    return failure(401, 'Unauthorized', 'The request authorization key is not that of this topic.');
  }
  const token = /^bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) return failure(401, 'Unauthorized', 'Request must contain aeg-sas-key or a bearer token.');
  try {
    const principal = await estate.tokens.verify(token, AUDIENCE);
    if (senders.includes(principal.oid)) return principal.name;
    return failure(403, 'Forbidden', `The principal ${principal.oid} may not send events to this topic.`);
  } catch (error) {
    return failure(401, 'Unauthorized', String(error));
  }
}

const failure = (status: number, code: string, message: string, headers: Record<string, string> = {}): Answer => ({
  status,
  headers,
  body: { error: { code, message } },
});
