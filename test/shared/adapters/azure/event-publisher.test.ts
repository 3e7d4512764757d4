import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createCaller } from '../../../../infra/local/call.ts';
import { IDENTITIES } from '../../../../infra/local/identity/registrations.ts';
import type { StorageService } from '../../../../infra/local/storage/storage.ts';
import { createTopic, type TopicService } from '../../../../infra/local/topic/server.ts';
import { createEventPublisher } from '../../../../shared/adapters/azure/event-publisher.ts';
import type { LifecycleEvent } from '../../../../shared/events/lifecycle-event.ts';
import { type Ground, startGround } from './estate.ts';

let ground: Ground;
let topics: { CloudEvents: TopicService; EventGrid: TopicService };
const AUDIENCE = 'https://eventgrid.azure.net';
const hsmId = '/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/managedHSMs/contoso';

const event = (id: string): LifecycleEvent => ({
  id,
  type: 'KeyNearExpiry',
  source: hsmId,
  subject: 'keys/orders',
  time: '2030-01-31T00:00:00.000Z',
  data: {
    Id: 'https://contoso.managedhsm.azure.net/keys/orders/1',
    VaultName: 'contoso',
    ObjectType: 'Key',
    ObjectName: 'orders',
    Version: '1',
    NBF: null,
    EXP: 1_900_000_000,
  },
});

async function startTopic(inputSchema: 'CloudEventSchemaV1_0' | 'EventGridSchema'): Promise<TopicService> {
  const { estate } = ground;
  const topic = createTopic({
    estate,
    // Without subscriptions nothing is delivered, so the storage is never called.
    storage: {} as StorageService,
    call: createCaller(estate.tls.ca).call,
    accessKey: 'unused',
    topicId: '/subscriptions/s/resourceGroups/r/providers/Microsoft.EventGrid/topics/lifecycle',
    inputSchema,
    subscriptions: [],
    senders: [IDENTITIES.rotate.objectId],
    host: () => undefined,
  });
  await topic.start();
  return topic;
}

beforeAll(async () => {
  ground = await startGround();
  topics = { CloudEvents: await startTopic('CloudEventSchemaV1_0'), EventGrid: await startTopic('EventGridSchema') };
});
afterEach(() => ground.faults.clear());
afterAll(async () => {
  await Promise.all(Object.values(topics).map((topic) => topic.stop()));
  await ground.stop();
});

const publisher = (schema: 'CloudEvents' | 'EventGrid', duty: 'observe' | 'rotate' = 'rotate') =>
  createEventPublisher({
    endpoint: topics[schema].endpoint,
    schema,
    audience: AUDIENCE,
    identity: ground.identity(duty),
  });

describe.each(['CloudEvents', 'EventGrid'] as const)('publishing in the schema %s', (schema) => {
  test('keeps the id, subject and data of the vault events, and prefixes the type', async () => {
    await publisher(schema).publish([event(`${schema}-1`), event(`${schema}-2`)]);
    const taken = topics[schema].events.slice(-2);
    expect(taken.map(({ id }) => id)).toEqual([`${schema}-1`, `${schema}-2`]);
    expect(JSON.stringify(taken[0])).toContain('"ManagedHsmLifecycle.KeyNearExpiry"');
    expect(JSON.stringify(taken[0])).toContain('"EXP":1900000000');
    expect(JSON.stringify(taken[0])).toContain(hsmId);
  });
});

test('a repeat after a lost reply is the same event again', async () => {
  ground.faults.add({ service: 'topic', operation: 'Publish', lostReply: 'after', count: 1 });
  await publisher('CloudEvents').publish([event('twice')]);
  expect(topics.CloudEvents.events.filter(({ id }) => id === 'twice')).toHaveLength(2);
});

test('more events than one request takes go out in several', async () => {
  const before = topics.CloudEvents.events.length;
  await publisher('CloudEvents').publish(Array.from({ length: 450 }, (_, index) => event(`many-${index}`)));
  expect(topics.CloudEvents.events.length - before).toBe(450);
});

test('an identity that may not publish is named', async () => {
  await expect(publisher('CloudEvents', 'observe').publish([event('denied')])).rejects.toMatchObject({
    code: 'ERR_DENIED',
    denial: { duty: 'observe' },
  });
});

test('a topic that takes another schema refuses for good', async () => {
  const endpoint = topics.EventGrid.endpoint;
  const wrong = createEventPublisher({
    endpoint,
    schema: 'CloudEvents',
    audience: AUDIENCE,
    identity: ground.identity('rotate'),
  });
  await expect(wrong.publish([event('wrong')])).rejects.toMatchObject({ code: 'ERR_REFUSED_BY_SERVICE' });
});
