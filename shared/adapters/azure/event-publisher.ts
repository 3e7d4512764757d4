import type { TokenCredential } from '@azure/identity';
import { EVENT_PREFIX, type LifecycleEvent } from '../../events/lifecycle-event.ts';
import type { EventPublisher } from '../../ports/event-publisher.ts';
import { once } from '../once.ts';
import { classifyFailure } from './classify-failure.ts';
import type { Identity } from './credentials.ts';

/** An event is about a kilobyte, a request at most a megabyte. https://learn.microsoft.com/azure/event-grid/quotas-limits */
const EVENTS_PER_REQUEST = 200;
const PUBLISH_MS = 30_000;

/** Publishes to one custom topic in its input schema. The ids of events are kept, so that a repeat is the same event. */
export function createEventPublisher(options: {
  endpoint: string;
  schema: 'CloudEvents' | 'EventGrid';
  /** Whom tokens are for: another one in each cloud. */
  audience: string;
  identity: Identity;
}): EventPublisher {
  const { endpoint, schema, audience, identity } = options;
  const connect = once(async () => {
    const [{ EventGridPublisherClient }, identified] = await Promise.all([
      import('@azure/eventgrid'),
      identity.credential(),
    ]);
    // The client asks for tokens of the public cloud, and takes no other wish.
    const credential: TokenCredential = {
      getToken: (_, options) => identified.getToken(`${audience}/.default`, options),
    };
    const retryOptions = { maxRetries: 3, retryDelayInMs: 500, maxRetryDelayInMs: 8000 };
    return {
      sendCloudEvents: new EventGridPublisherClient(endpoint, 'CloudEvent', credential, { retryOptions }),
      sendEventGridEvents: new EventGridPublisherClient(endpoint, 'EventGrid', credential, { retryOptions }),
    };
  });

  return {
    async publish(events) {
      try {
        const { sendCloudEvents, sendEventGridEvents } = await connect();
        for (let start = 0; start < events.length; start += EVENTS_PER_REQUEST) {
          const some = events.slice(start, start + EVENTS_PER_REQUEST);
          const abortSignal = AbortSignal.timeout(PUBLISH_MS);
          await (schema === 'CloudEvents'
            ? sendCloudEvents.send(some.map(toCloudEvent), { abortSignal })
            : sendEventGridEvents.send(some.map(toEventGridEvent), { abortSignal }));
        }
      } catch (error) {
        throw classifyFailure(error, {
          act: `publish ${events.length} event(s) to the topic`,
          identity,
          role: 'EventGrid Data Sender',
        });
      }
    },
  };
}

const toCloudEvent = ({ id, type, source, subject, time, data }: LifecycleEvent) => ({
  id,
  type: `${EVENT_PREFIX}${type}`,
  source,
  subject,
  time: new Date(time),
  datacontenttype: 'application/json',
  data,
});

/** In this schema the topic puts its own id where CloudEvents has the source, so the HSM goes into the data. */
const toEventGridEvent = ({ id, type, source, subject, time, data }: LifecycleEvent) => ({
  id,
  eventType: `${EVENT_PREFIX}${type}`,
  subject,
  eventTime: new Date(time),
  dataVersion: '1',
  data: { ...data, Source: source },
});
