import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Child, keys, openWorkshop, startHost, until, type Workshop } from './support.ts';

const HOUR = 3_600_000;
/** Real time is stepped over to a known instant: the clock's offset starts the host at 2030-01-01T12:00Z. */
const noon = Date.UTC(2030, 0, 1, 12) - Date.now();

let workshop: Workshop;
let host: Child;
let queue: { connection: string; stop(): Promise<void> };

beforeAll(async () => {
  [workshop, queue] = await Promise.all([openWorkshop(['trigger-app']), startQueueService()]);
  host = await startHost(workshop, settingsAt(noon));
});

afterAll(async () => {
  await host.kill();
  await queue.stop();
  workshop.dispose();
});

const settingsAt = (offsetMs: number, state?: string) => ({
  app: 'trigger-app',
  offsetMs,
  ...(state ? { state } : {}),
  settings: {
    NIGHTLY: '0 0 2 * * *',
    QUEUE: 'incoming',
    Events: queue.connection,
    'AzureWebJobs.resting.Disabled': 'true',
  },
});

type Seen = Record<string, Record<string, unknown>[]>;
const seen = async (from = host): Promise<Seen> => (await (await from.fetch('/api/seen')).json()) as Seen;

describe('HTTP', () => {
  test.each([
    ['GET', '/api/items/special', 'fixed', {}],
    ['GET', '/api/Items/42', 'number', { id: '42' }],
    ['GET', '/api/items/a%20b', 'item', { id: 'a b' }],
    ['PUT', '/api/items/42', 'item', { id: '42' }],
    ['POST', '/api/maybe/one', 'optional', { first: 'one' }],
    ['GET', '/api/maybe/one/two', 'optional', { first: 'one', second: 'two' }],
    ['GET', '/api/files/a/b/c.txt', 'rest', { path: 'a/b/c.txt' }],
  ])('%s %s runs %s', async (method, path, name, params) => {
    const answer = await host.fetch(path, { method });
    expect(answer.status).toBe(201);
    expect(await answer.json()).toMatchObject({ name, method, params });
  });

  test.each([
    ['GET', '/items/special'],
    ['GET', '/api/nowhere'],
    ['DELETE', '/api/items/1'],
    ['HEAD', '/api/items/1'],
    ['OPTIONS', '/api/items/1'],
    ['GET', '/api/maybe/one/two/three'],
  ])('%s %s is 404: the method is part of the route', async (method, path) => {
    expect((await host.fetch(path, { method })).status).toBe(404);
  });

  test('carries body bytes, query and URL in, headers and cookies out', async () => {
    const body = Buffer.from([0, 255, 128, 10]);
    const answer = await host.fetch('/api/items/1?a=1&b=2&b=3', { method: 'PUT', body });
    expect(await answer.json()).toMatchObject({
      body: body.toString('hex'),
      query: { a: '1', b: '2,3' },
      url: `http://127.0.0.1:${host.port}/api/items/1?a=1&b=2&b=3`,
    });
    expect(answer.headers.get('x-function')).toBe('item');
    expect(answer.headers.getSetCookie()).toEqual(['a=1; Path=/; HttpOnly', 'b=x%20y; SameSite=Lax']);
  });

  test.each([
    ['guarded', undefined, 401],
    ['guarded', 'wrong', 401],
    ['guarded', keys.function, 201],
    ['guarded', keys.master, 201],
    ['owned', keys.function, 401],
    ['owned', keys.master, 201],
  ])('%s with key %s answers %i', async (path, key, status) => {
    const headers: Record<string, string> = key ? { 'x-functions-key': key } : {};
    expect((await host.fetch(`/api/${path}`, { headers })).status).toBe(status);
    expect((await host.fetch(`/api/${path}${key ? `?code=${key}` : ''}`)).status).toBe(status);
  });

  test('answers 500 without a body when the handler throws, and 204 when it returns nothing', async () => {
    const broken = await host.fetch('/api/breaks');
    expect([broken.status, await broken.text()]).toEqual([500, '']);
    expect((await host.fetch('/api/no-answer')).status).toBe(204);
  });

  test('runs hooks in the order of the worker and lets log hooks redact', async () => {
    expect(await (await host.fetch('/api/hooked')).json()).toEqual({
      wrapped: 'inner',
      before: 'hooked',
      started: true,
    });
    await host.fetch('/api/logs');
    await until(
      () => host.messages,
      (all) => all.some((each) => each.message === 'the [redacted] is out'),
    );
  });
});

describe('the admin API', () => {
  test('lists functions and runs one, with the master key only', async () => {
    const headers = { 'x-functions-key': keys.master };
    expect((await host.fetch('/admin/functions')).status).toBe(401);
    const list = (await (await host.fetch('/admin/functions', { headers })).json()) as { name: string }[];
    expect(list.map((each) => each.name)).toContain('nightly');
    expect(await (await host.fetch('/admin/host/status', { headers })).json()).toMatchObject({ state: 'Running' });
    const before = (await seen()).nightly?.length ?? 0;
    expect((await host.fetch('/admin/functions/nightly', { method: 'POST', headers, body: '{}' })).status).toBe(202);
    await until(seen, (all) => all.nightly?.length === before + 1);
    expect((await host.fetch('/admin/functions/none', { method: 'POST', headers, body: '{}' })).status).toBe(404);
  });
});

describe('the Event Grid webhook', () => {
  const post = (kind: string, body: unknown, name = 'onEvent', code = 'grid-key') =>
    host.fetch(`/runtime/webhooks/EventGrid?functionName=${name}&code=${code}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...(kind ? { 'aeg-event-type': kind } : {}) },
    });

  test('answers the validation handshake', async () => {
    const answer = await post('SubscriptionValidation', [{ data: { validationCode: 'abc' } }]);
    expect([answer.status, await answer.json()]).toEqual([200, { validationResponse: 'abc' }]);
  });

  test('answers the CloudEvents handshake', async () => {
    const answer = await host.fetch('/runtime/webhooks/EventGrid?functionName=onEvent&code=grid-key', {
      method: 'OPTIONS',
      headers: { 'webhook-request-origin': 'eventgrid.azure.net' },
    });
    expect([answer.status, answer.headers.get('webhook-allowed-origin')]).toEqual([200, 'eventgrid.azure.net']);
  });

  test('hands each event over with its own casing, and its data with lower-cased keys', async () => {
    const event = { id: '1', subject: 'k1', data: { ObjectName: 'k1', EXP: 5 } };
    expect((await post('Notification', [event])).status).toBe(202);
    expect((await post('Notification', { ...event, id: '2' })).status).toBe(202);
    const noted = (await seen()).onEvent ?? [];
    expect(noted).toEqual([
      { event, data: { objectName: 'k1', eXP: 5 } },
      { event: { ...event, id: '2' }, data: { objectName: 'k1', eXP: 5 } },
    ]);
  });

  test('fails the whole batch when one event fails', async () => {
    expect((await post('Notification', [{ subject: 'fine' }, { subject: 'poison' }])).status).toBe(500);
  });

  test.each([
    ['Notification', 'none', 'grid-key', 404],
    ['Notification', 'nightly', 'grid-key', 404],
    ['Notification', 'onEvent', 'function-key', 401],
    ['Unsubscribe', 'onEvent', 'grid-key', 202],
    ['Other', 'onEvent', 'grid-key', 400],
  ])('%s for %s with %s is %i', async (kind, name, code, status) => {
    expect((await post(kind, [{}], name, code)).status).toBe(status);
  });
});

describe('the queue trigger', () => {
  test('decodes messages, gives their metadata, and moves what keeps failing to the poison queue', async () => {
    const service = QueueServiceClient.fromConnectionString(queue.connection);
    const incoming = service.getQueueClient('incoming');
    await incoming.createIfNotExists();
    await incoming.sendMessage(Buffer.from('{"Kind":"event","n":1}').toString('base64'));
    await incoming.sendMessage(Buffer.from('poison').toString('base64'));
    const all = await until(seen, (each) => (each.onQueued?.length ?? 0) >= 3);
    expect(all.onQueued?.find((each) => each.message !== 'poison')).toEqual({
      message: { Kind: 'event', n: 1 },
      metadata: {
        queueTrigger: { kind: 'event', n: 1 },
        kind: 'event',
        n: 1,
        dequeueCount: 1,
        id: expect.any(String),
        insertionTime: expect.any(String),
        expirationTime: expect.any(String),
        nextVisibleTime: expect.any(String),
        popReceipt: expect.any(String),
      },
    });
    const poison = service.getQueueClient('incoming-poison');
    const received = await until(
      async () => ((await poison.exists()) ? (await poison.receiveMessages()).receivedMessageItems : []),
      (items) => items.length > 0,
    );
    expect(Buffer.from(received[0]?.messageText ?? '', 'base64').toString()).toBe('poison');
    expect(await seen().then((each) => each.onQueued?.filter((one) => one.message === 'poison').length)).toBe(2);
  });

  test('is asked once more before the host says that it has nothing left to do', async () => {
    const incoming = QueueServiceClient.fromConnectionString(queue.connection).getQueueClient('incoming');
    for (let round = 0; round < 20; round++) {
      await incoming.sendMessage(Buffer.from(`round ${round}`).toString('base64'));
      await host.idle();
      expect((await seen()).onQueued?.at(-1)?.message).toBe(`round ${round}`);
    }
  });
});

describe('timers follow estate time', () => {
  test('one run for many missed occurrences, then the next one in turn', async () => {
    const before = (await seen()).interval?.length ?? 0;
    host.moveClock(noon + HOUR);
    await until(seen, (all) => (all.interval?.length ?? 0) > before);
    host.moveClock(noon + HOUR + 301_000);
    const all = await until(seen, (each) => (each.interval?.length ?? 0) > before + 1);
    expect(all.interval).toHaveLength(before + 2);
    expect(all.interval?.at(-1)).toMatchObject({ isPastDue: false, schedule: { adjustForDST: true } });
    expect(all.resting, 'one that the settings disable').toBeUndefined();
  });

  test('retries by policy on the estate clock', async () => {
    host.moveClock(Date.UTC(2031, 0, 1, 0, 0, 1) - Date.now());
    await until(seen, (all) => all.stubborn?.length === 1);
    // It has noted itself before it fails, and waits for its next turn after that.
    await host.idle();
    host.moveClock(Date.UTC(2031, 0, 1, 0, 0, 12) - Date.now());
    await until(seen, (all) => all.stubborn?.length === 2);
    await host.idle();
    host.moveClock(Date.UTC(2031, 0, 1, 0, 0, 28) - Date.now());
    expect((await until(seen, (all) => all.stubborn?.length === 3)).stubborn).toEqual([0, 1, 2]);
  });

  test('runs once at start, past due, for all that was missed while the host was down', async () => {
    const state = `${workshop.folder}/downtime`;
    const first = await startHost(workshop, settingsAt(noon, state));
    await first.kill();
    const second = await startHost(workshop, settingsAt(noon + 72 * HOUR, state));
    const all = await until(
      () => seen(second),
      (each) => (each.nightly?.length ?? 0) > 0,
    );
    await second.kill();
    expect(all.nightly).toEqual([
      {
        pastDue: true,
        status: {
          last: '0001-01-01T00:00:00+00:00',
          next: '2030-01-02T02:00:00.000Z',
          lastUpdated: expect.stringMatching(/^2030-01-01T12:/),
        },
      },
    ]);
  });
});

/** Azurite's queue service in this process, in memory. Its constructors are internal: package.json pins the version. */
async function startQueueService(): Promise<{ connection: string; stop(): Promise<void> }> {
  type Service = { start(): Promise<void>; close(): Promise<void>; httpServer: { address(): AddressInfo } };
  const require = createRequire(import.meta.url);
  const load = <T>(path: string) => (require(`azurite/dist/src/queue/${path}`) as { default: T }).default;
  const Configuration = load<new (...args: unknown[]) => object>('QueueConfiguration');
  const Server = load<new (configuration: object) => Service>('QueueServer');
  const paths = [{ locationId: 'Default', locationPath: 'content', maxConcurrency: 50 }];
  const tail = [false, undefined, false, undefined, false, true, '', '', '', undefined, false, true];
  const server = new Server(new Configuration('127.0.0.1', 0, 5, 'metadata', 'extents', paths, ...tail));
  await server.start();
  const { port } = server.httpServer.address();
  const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
  return {
    connection: `DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=${key};QueueEndpoint=http://127.0.0.1:${port}/devstoreaccount1;`,
    stop: () => server.close(),
  };
}
