import { readFileSync } from 'node:fs';
import { AzureKeyCredential, EventGridPublisherClient } from '@azure/eventgrid';
import type { TokenCredential } from '@azure/identity';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Listener, listen, type Request } from '../../../infra/local/http.ts';
import { IDENTITIES, type Identity } from '../../../infra/local/identity/registrations.ts';
import { STORAGE_AUDIENCE } from '../../../infra/local/storage/proxy.ts';
import { startStorage } from '../../../infra/local/storage/storage.ts';
import { afterFailure } from '../../../infra/local/topic/retry.ts';
import { createTopic, type TopicService } from '../../../infra/local/topic/server.ts';
import { type Subscription, wants } from '../../../infra/local/topic/subscription.ts';
import { createWebhookSink } from '../../../infra/local/webhook-sink/server.ts';
import { estateParts, eventually } from './support/parts.ts';

const { estate, clock, tls, tokens, faults, call } = await estateParts();
const storageToken = async () => (await tokens.forIdentity(IDENTITIES.eventGrid, STORAGE_AUDIENCE)).token;
const storage = await startStorage({ tls, tokens, faults, call, token: storageToken });
await storage.provision();
const webhook = createWebhookSink({ estate });
await webhook.start();

const credential = (identity: Identity, audience: string): TokenCredential => ({
  async getToken() {
    const { token, expiresOn } = await tokens.forIdentity(identity, audience);
    return { token, expiresOnTimestamp: expiresOn * 1000 };
  },
});
const sender = credential(IDENTITIES.observe, 'https://eventgrid.azure.net');
const storageUser = credential(IDENTITIES.observe, STORAGE_AUDIENCE);
const queue = new QueueServiceClient(storage.queueUrl, storageUser).getQueueClient('key-events');
const letters = new BlobServiceClient(storage.blobUrl, storageUser).getContainerClient('dead-letters');

const subscriptions: Subscription[] = [
  {
    name: 'to-queue',
    destination: { kind: 'queue', queue: 'key-events' },
    schema: 'CloudEventSchemaV1_0',
    includedEventTypes: ['ManagedHsmLifecycle.KeyNearExpiry'],
    subjectBeginsWith: 'keys/',
  },
  {
    name: 'to-webhook',
    destination: { kind: 'webhook', url: `${webhook.url}/hook` },
    schema: 'CloudEventSchemaV1_0',
    includedEventTypes: ['ManagedHsmLifecycle.BackupCompleted'],
    deadLetterContainer: 'dead-letters',
  },
  {
    name: 'to-function',
    destination: { kind: 'function', functionName: 'keyEventEventGrid' },
    schema: 'CloudEventSchemaV1_0',
    includedEventTypes: ['ManagedHsmLifecycle.DrillPassed'],
  },
];
let hostAt: { url: string; key: string } | undefined;
/** Bodies in the order in which they leave: on two connections, the second may arrive first. */
const left: string[] = [];
const topic: TopicService = createTopic({
  estate,
  storage,
  call(request) {
    if (request.method === 'POST') left.push(String(request.body));
    return call(request);
  },
  accessKey: 'the key',
  topicId: '/subscriptions/s/topics/t',
  inputSchema: 'CloudEventSchemaV1_0',
  subscriptions,
  senders: [IDENTITIES.observe.objectId],
  host: () => hostAt,
});

beforeAll(() => topic.start());
afterAll(async () => {
  await topic.stop();
  await webhook.stop();
  await storage.stop();
});
afterEach(async () => {
  topic.reset();
  webhook.reset();
  faults.clear();
  await queue.clearMessages();
});

/** One attempt, so that a refusal shows at once. */
const once = { retryOptions: { maxRetries: 0 } };
const client = () => new EventGridPublisherClient(topic.endpoint, 'CloudEvent', sender, once);
const event = (type: string, subject = 'keys/orders', id = 'e-1') => ({
  id,
  type: `ManagedHsmLifecycle.${type}`,
  source: '/hsms/contoso',
  subject,
  data: { ObjectName: 'orders' },
});
const delivered = (index = 0) => topic.events[index]?.deliveries[0];
const attempts = (count: number) =>
  eventually(`${count} attempts were made`, () => ((delivered()?.attempts.length ?? 0) >= count ? true : undefined));

describe('The topic', () => {
  test('takes CloudEvents of a sender’s token and puts each into the queue as base64 of one event', async () => {
    await client().send([event('KeyNearExpiry'), event('KeyNearExpiry', 'keys/other', 'e-2'), event('DriftSeen')]);
    const arrived = () => [0, 1].every((index) => delivered(index)?.state === 'delivered');
    await eventually('two were delivered', () => arrived() || undefined);
    const messages = (await queue.receiveMessages({ numberOfMessages: 10 })).receivedMessageItems;
    const bodies = messages.map((message) => JSON.parse(Buffer.from(message.messageText, 'base64').toString()));
    expect(bodies.map((body) => body.id).sort()).toEqual(['e-1', 'e-2']);
    expect(bodies[0]).toMatchObject({ specversion: '1.0', source: '/hsms/contoso', data: { ObjectName: 'orders' } });
    expect(topic.events[2]?.deliveries).toEqual([]);
  });

  test('takes the access key, and nothing else for a key', async () => {
    const keyed = (key: string) =>
      new EventGridPublisherClient(topic.endpoint, 'CloudEvent', new AzureKeyCredential(key), once);
    await keyed('the key').send([event('KeyNearExpiry')]);
    await expect(keyed('another').send([event('KeyNearExpiry')])).rejects.toMatchObject({ statusCode: 401 });
  });

  test('refuses who may not send with 403, and a token of another audience with 401', async () => {
    const of = (identity: Identity, audience: string) =>
      new EventGridPublisherClient(topic.endpoint, 'CloudEvent', credential(identity, audience), once);
    const stranger = of(IDENTITIES.consumer, 'https://eventgrid.azure.net').send([event('KeyNearExpiry')]);
    await expect(stranger).rejects.toMatchObject({ statusCode: 403 });
    const astray = of(IDENTITIES.observe, 'https://vault.azure.net').send([event('KeyNearExpiry')]);
    await expect(astray).rejects.toMatchObject({ statusCode: 401 });
    expect(topic.events).toHaveLength(0);
  });

  test('refuses events of the other schema, and a batch with one bad event as a whole', async () => {
    const other = new EventGridPublisherClient(topic.endpoint, 'EventGrid', sender, once);
    const foreign = { eventType: 't', subject: 's', dataVersion: '1', data: {} };
    await expect(other.send([foreign])).rejects.toMatchObject({ statusCode: 400 });
    const body = JSON.stringify([
      { specversion: '1.0', id: '1', type: 't', source: 's' },
      { specversion: '1.0', id: '2' },
    ]);
    const headers = { 'aeg-sas-key': 'the key', 'content-type': 'application/cloudevents-batch+json' };
    const reply = await call({ method: 'POST', url: topic.endpoint, headers, body });
    expect(reply.status).toBe(400);
    expect(reply.body.toString()).toContain('Event 1: type');
    expect(topic.events).toHaveLength(0);
  });

  test('fails to publish on demand', async () => {
    faults.add({ service: 'topic', operation: 'Publish', status: 503, count: 1 });
    await expect(client().send([event('KeyNearExpiry')])).rejects.toMatchObject({ statusCode: 503 });
    faults.add({ service: 'topic', operation: 'Publish', lostReply: 'after', count: 1 });
    await expect(client().send([event('KeyNearExpiry')])).rejects.toThrow();
    expect(topic.events).toHaveLength(1);
  });
});

describe('Delivery', () => {
  test('shakes hands with a webhook before the first event and keeps the handshake', async () => {
    await client().send([event('BackupCompleted')]);
    const got = await eventually('the webhook was called', () => webhook.calls[0]);
    expect(got.headers['content-type']).toMatch(/^application\/cloudevents\+json/);
    expect(JSON.parse(got.body)).toMatchObject({ type: 'ManagedHsmLifecycle.BackupCompleted' });
  });

  test('is repeated on the documented schedule of estate time until it succeeds', async () => {
    faults.add({ service: 'webhook', operation: 'Receive', status: 500, count: 3 });
    await client().send([event('BackupCompleted')]);
    await attempts(1);
    for (const [seconds, count] of [
      [10, 2],
      [30, 3],
      [60, 4],
    ] as const) {
      const { next = '', attempts: made = [] } = delivered() ?? {};
      expect(Date.parse(next) - Date.parse(made.at(-1)?.time ?? '')).toBe(seconds * 1000);
      clock.advance(seconds * 1000);
      await attempts(count);
    }
    expect(delivered()).toMatchObject({ state: 'delivered', attempts: [{ status: 500 }, {}, {}, { status: 204 }] });
  });

  test('ends at once in a dead letter when the endpoint says that the event is bad', async () => {
    faults.add({ service: 'webhook', operation: 'Receive', status: 400 });
    await client().send([event('BackupCompleted', 'full', 'bad-1')]);
    await attempts(1);
    clock.advance(5 * 60_000);
    await eventually('it was buried', () => (delivered()?.state === 'deadLettered' ? true : undefined));
    expect(delivered()?.attempts).toHaveLength(1);
    const found: Record<string, unknown>[] = [];
    for await (const { name } of letters.listBlobsFlat({ prefix: 'TO-WEBHOOK/' })) {
      const text = (await letters.getBlobClient(name).downloadToBuffer()).toString();
      found.push(...(JSON.parse(text) as Record<string, unknown>[]));
    }
    expect(found).toContainEqual(
      expect.objectContaining({ id: 'bad-1', deliveryAttempts: 1, lastDeliveryOutcome: 'BadRequest' }),
    );
  });

  test('of duplicates repeats the same event', async () => {
    topic.handling({ duplicates: 2 });
    await client().send([event('KeyNearExpiry')]);
    await eventually('all copies arrived', async () =>
      (await queue.getProperties()).approximateMessagesCount === 3 ? true : undefined,
    );
  });

  test('on hold waits, and leaves in reverse order when that is asked for', async () => {
    topic.handling({ hold: true, reorder: true });
    await client().send([event('BackupCompleted', 'a', '1'), event('BackupCompleted', 'b', '2')]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(webhook.calls).toHaveLength(0);
    topic.handling({ hold: false });
    await eventually('both came', () => (webhook.calls.length === 2 ? true : undefined));
    expect(left.slice(-2).map((body) => JSON.parse(body).id)).toEqual(['2', '1']);
  });

  test('of a foreign event keeps its schema, past the door', async () => {
    const vault = {
      id: 'v-1',
      topic: '/vaults/v',
      subject: 'orders',
      eventType: 'ManagedHsmLifecycle.BackupCompleted',
      eventTime: '2030-01-01T00:00:00Z',
      data: {},
      dataVersion: '1',
    };
    topic.publish([vault], 'EventGridSchema');
    const got = await eventually('it came', () => webhook.calls[0]);
    expect(got.headers['aeg-event-type']).toBe('Notification');
    expect(JSON.parse(got.body)).toMatchObject([{ id: 'v-1', eventType: vault.eventType, metadataVersion: '1' }]);
  });

  test('to a function waits for the host, shakes hands with it and comes again after a failed run', async () => {
    const requests: Request[] = [];
    let status = 500;
    const host: Listener = await listen({
      origin: 'http://localhost',
      handle: async (request) => {
        requests.push(request);
        if (request.method === 'OPTIONS') return { status: 200, headers: { 'webhook-allowed-origin': '*' } };
        return { status };
      },
    });
    await client().send([event('DrillPassed')]);
    await attempts(1);
    expect(delivered()?.attempts[0]).toMatchObject({ ok: false, detail: 'The host is down.' });
    hostAt = { url: `http://localhost:${host.port}`, key: 'system' };
    await topic.hostIsUp();
    clock.advance(10_000);
    await attempts(2);
    status = 202;
    clock.advance(30_000);
    await eventually('it was delivered', () => (delivered()?.state === 'delivered' ? true : undefined));
    expect(requests.map(({ method }) => method)).toEqual(['OPTIONS', 'POST', 'POST']);
    expect(requests[0]?.url.search).toBe('?functionName=keyEventEventGrid&code=system');
    hostAt = undefined;
    await host.close();
  });

  test('goes on after a restart where it stopped', async () => {
    faults.add({ service: 'webhook', operation: 'Receive', status: 500, count: 1 });
    await client().send([event('BackupCompleted')]);
    await attempts(1);
    const saved = JSON.parse(JSON.stringify(topic.save()));
    topic.reset();
    await topic.stop();
    topic.load(saved);
    await topic.start();
    clock.advance(10_000);
    await eventually('it was delivered', () => (delivered()?.state === 'delivered' ? true : undefined));
    expect(delivered()?.attempts).toHaveLength(2);
  });
});

describe('A topic of Event Grid’s own schema', () => {
  test('stamps topic and metadataVersion, and delivers CloudEvents to whom wants them', async () => {
    const both: Subscription[] = (['EventGridSchema', 'CloudEventSchemaV1_0'] as const).map((schema) => ({
      name: schema,
      destination: { kind: 'webhook', url: `${webhook.url}/${schema}` },
      schema,
    }));
    // The sink answers the CloudEvents handshake only, so the one of Event Grid's schema is answered here.
    const answering = await listen({
      origin: 'http://localhost',
      async handle(request) {
        const [first] = JSON.parse(request.body.toString()) as { data: { validationCode?: string } }[];
        if (first?.data.validationCode) return { status: 200, body: { validationResponse: first.data.validationCode } };
        bodies.push(request.body.toString());
        return { status: 200 };
      },
    });
    const bodies: string[] = [];
    const [own, cloud] = both as [Subscription, Subscription];
    const subscriptionsHere = [
      { ...own, destination: { kind: 'webhook' as const, url: `http://localhost:${answering.port}/` } },
      cloud,
    ];
    const second = createTopic({
      estate,
      storage,
      call,
      accessKey: 'the key',
      topicId: '/subscriptions/s/topics/t',
      inputSchema: 'EventGridSchema',
      subscriptions: subscriptionsHere,
      senders: [IDENTITIES.observe.objectId],
      host: () => undefined,
    });
    await second.start();
    const publisher = new EventGridPublisherClient(second.endpoint, 'EventGrid', sender, once);
    await publisher.send([{ id: 'g-1', eventType: 'X', subject: 'keys/a', dataVersion: '1', data: { a: 1 } }]);
    const asCloud = JSON.parse((await eventually('the CloudEvent came', () => webhook.calls[0])).body);
    expect(asCloud).toMatchObject({ specversion: '1.0', id: 'g-1', type: 'X', source: '/subscriptions/s/topics/t' });
    const asOwn = JSON.parse(await eventually('the event came', () => bodies[0]));
    expect(asOwn).toMatchObject([{ id: 'g-1', topic: '/subscriptions/s/topics/t', metadataVersion: '1' }]);
    second.reset();
    await second.stop();
    await answering.close();
  });

  test('is the only one whose subscriptions may ask for it', () => {
    const own: Subscription = { name: 'own', destination: { kind: 'queue', queue: 'q' }, schema: 'EventGridSchema' };
    const make = () =>
      createTopic({
        ...{ estate, storage, call, accessKey: '', topicId: '', senders: [], host: () => undefined },
        inputSchema: 'CloudEventSchemaV1_0',
        subscriptions: [own],
      });
    expect(make).toThrow(/CloudEvents only/);
  });
});

describe('The retry schedule', () => {
  const toHook: Subscription = { name: 's', destination: { kind: 'webhook', url: '' }, schema: 'EventGridSchema' };

  test('never waits less than ten seconds, never beyond the life of the event, and ends', () => {
    const status = fc.option(fc.constantFrom(404, 408, 429, 500, 503), { nil: undefined });
    fc.assert(
      fc.property(fc.array(status, { minLength: 40, maxLength: 40 }), (answers) => {
        let ageMs = 0;
        for (const [index, answer] of answers.entries()) {
          const failure = { attempts: index + 1, ageMs, ...(answer === undefined ? {} : { status: answer }) };
          const step = afterFailure(toHook, failure);
          if (step.kind === 'giveUp') return;
          expect(step.afterMs).toBeGreaterThanOrEqual(10_000);
          ageMs += step.afterMs;
          expect(ageMs).toBeLessThanOrEqual(24 * 3600_000);
        }
        expect.fail('It never gave up.');
      }),
    );
  });

  for (const [status, to, final] of [
    [400, toHook.destination, true],
    [413, toHook.destination, true],
    [401, toHook.destination, true],
    [401, { kind: 'queue', queue: 'q' }, false],
    [403, { kind: 'queue', queue: 'q' }, true],
    [404, toHook.destination, false],
    [500, toHook.destination, false],
  ] as const) {
    test(`${final ? 'gives up' : 'goes on'} after ${status} from a ${to.kind}`, () => {
      const step = afterFailure({ ...toHook, destination: to }, { status, attempts: 1, ageMs: 0 });
      expect(step.kind).toBe(final ? 'giveUp' : 'retry');
    });
  }
});

test('A subscription’s filters compare types and subjects ignoring case', () => {
  const body = { specversion: '1.0', id: '1', type: 'A.B', source: 's' };
  const taken = { schema: 'CloudEventSchemaV1_0' as const, id: '1', type: 'A.B', subject: 'keys/Orders', body };
  const only = (more: Partial<Subscription>) =>
    wants({ name: 's', destination: { kind: 'queue', queue: 'q' }, schema: 'CloudEventSchemaV1_0', ...more }, taken);
  expect(only({})).toBe(true);
  expect(only({ includedEventTypes: ['a.b'] })).toBe(true);
  expect(only({ includedEventTypes: ['a'] })).toBe(false);
  expect(only({ subjectBeginsWith: 'KEYS/', subjectEndsWith: 'orders' })).toBe(true);
  expect(only({ subjectEndsWith: 'claims' })).toBe(false);
});

const specification = new URL('../../../../shared/spec/eventgrid/', import.meta.url);
const published = (() => {
  try {
    return readFileSync(new URL('derived-key-events.json', specification), 'utf8');
  } catch (error) {
    console.log(`Skipped: the specification data is absent (${String(error)}).`);
    return undefined;
  }
})();
test.skipIf(published === undefined)(
  'Event Grid’s own form of a vault’s event becomes the published CloudEvent',
  async () => {
    const { inSchema, readEvents } = await import('../../../infra/local/topic/events.ts');
    const examples = JSON.parse(published ?? '{}') as Record<
      string,
      { eventGridSchema: { topic: string }; cloudEventsSchema: unknown }
    >;
    for (const [name, example] of Object.entries(examples)) {
      if (name.startsWith('_')) continue;
      const [taken] = readEvents(example.eventGridSchema, 'EventGridSchema', example.eventGridSchema.topic);
      expect(taken && inSchema(taken, 'CloudEventSchemaV1_0')).toEqual(example.cloudEventsSchema);
    }
  },
);
