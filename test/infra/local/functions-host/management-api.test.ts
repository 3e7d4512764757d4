import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Child,
  ended,
  openWorkshop,
  raise,
  run,
  start,
  startHost,
  status,
  until,
  type Workshop,
} from './support.ts';

let workshop: Workshop;
let host: Child;

beforeAll(async () => {
  workshop = await openWorkshop(['durable-app']);
  host = await startHost(workshop, { app: 'durable-app' });
});

afterAll(async () => {
  await host?.kill();
  workshop.dispose();
});

const json = { 'content-type': 'application/json' };
const post = (path: string, body?: string, headers: Record<string, string> = json) =>
  host.durable(path, { method: 'POST', headers, ...(body === undefined ? {} : { body }) });

describe('starting', () => {
  test('answers 202 with the management URLs', async () => {
    const answer = await post('orchestrators/chain/starts-1', '{"length":1}');
    expect(answer.status).toBe(202);
    expect(answer.headers.get('retry-after')).toBe('10');
    expect(await answer.json()).toMatchObject({
      id: 'starts-1',
      statusQueryGetUri: expect.stringMatching(
        /instances\/starts-1\?taskHub=FixtureHub&connection=AzureWebJobsStorage&code=durable-key$/,
      ),
    });
  });

  test('waits for the output where a time-out is given', async () => {
    const answer = await post('orchestrators/chain?timeout=50&pollingInterval=0', '{"length":2}');
    expect([answer.status, await answer.json()]).toEqual([200, { value: 2 }]);
  });

  test('of an id that is running is 500, of one that has ended replaces it', async () => {
    const id = await start(host, 'twoEvents', {}, 'same');
    const second = await post('orchestrators/twoEvents/same', '{}');
    expect([second.status, await second.text()]).toEqual([500, expect.stringContaining('already exists')]);
    await post(`instances/${id}/terminate?reason=enough`);
    expect((await post('orchestrators/chain/same', '{"length":1}')).status).toBe(202);
    expect(await ended(host, 'same')).toMatchObject({ name: 'chain', runtimeStatus: 'Completed' });
  });

  test.each([
    ['an unknown function', 'orchestrators/none', '{}'],
    ['a body that is not JSON', 'orchestrators/chain', '{'],
    ['an id that begins with @', 'orchestrators/chain/@x', '{}'],
    ['an id with a slash', 'orchestrators/chain/a%2Fb', '{}'],
    ['an id longer than 100 characters', `orchestrators/chain/${'x'.repeat(101)}`, '{}'],
  ])('with %s is 400', async (_, path, body) => {
    expect((await post(path, body)).status).toBe(400);
  });
});

describe('an instance', () => {
  test('is 202 while it runs, and 200 or 500 when it has ended', async () => {
    const id = await start(host, 'twoEvents', { n: 1 });
    const running = await host.durable(`instances/${id}`);
    expect([running.status, running.headers.get('retry-after')]).toEqual([202, '5']);
    expect(await running.json()).toMatchObject({ input: { n: 1 }, createdTime: expect.stringMatching(/:\d\dZ$/) });
    const { instanceId } = await run(host, 'throwing', {});
    expect((await host.durable(`instances/${instanceId}`)).status).toBe(200);
    expect((await host.durable(`instances/${instanceId}?returnInternalServerErrorOnFailure=true`)).status).toBe(500);
    expect((await host.durable('instances/none')).status).toBe(404);
  });

  test.each(['terminate', 'suspend', 'resume', 'raiseEvent/E'])(
    '%s is 404 when unknown and 410 when ended',
    async (operation) => {
      const { instanceId } = await run(host, 'chain', { length: 1 });
      expect((await post(`instances/none/${operation}`, '1')).status).toBe(404);
      expect((await post(`instances/${instanceId}/${operation}`, '1')).status).toBe(410);
    },
  );

  test('takes events as JSON only', async () => {
    const id = await start(host, 'twoEvents', {});
    expect((await post(`instances/${id}/raiseEvent/Word`, 'x', { 'content-type': 'text/plain' })).status).toBe(400);
    expect((await post(`instances/${id}/raiseEvent/Word`, '')).status).toBe(400);
    expect((await post(`instances/${id}/raiseEvent/Word`, '{')).status).toBe(400);
  });

  test('keeps events while suspended and goes on when resumed', async () => {
    const id = await start(host, 'twoEvents', {});
    await post(`instances/${id}/suspend?reason=pause`);
    await raise(host, id, 'Word', 1);
    await raise(host, id, 'Word', 2);
    expect((await status(host, id)).runtimeStatus).toBe('Suspended');
    await post(`instances/${id}/resume?reason=on`);
    expect((await ended(host, id)).output).toEqual([1, 2]);
  });

  test('tells its parent when it is terminated', async () => {
    const id = await start(host, 'parentOfWaiter', {});
    const child = `${id}-child`;
    await until(
      () => status(host, child),
      (each) => each.runtimeStatus === 'Running',
    );
    await post(`instances/${child}/terminate?reason=enough`);
    expect((await ended(host, id)).output).toContain('enough');
  });

  test('can be restarted under a new id or its own', async () => {
    const { instanceId } = await run(host, 'chain', { length: 3 });
    const answer = await post(`instances/${instanceId}/restart`);
    const { id } = (await answer.json()) as { id: string };
    expect(id).not.toBe(instanceId);
    expect((await ended(host, id)).output).toEqual({ value: 3 });
    const own = (await (await post(`instances/${instanceId}/restart?restartWithNewInstanceId=false`)).json()) as {
      id: string;
    };
    expect(own.id).toBe(instanceId);
    expect((await post('instances/none/restart')).status).toBe(400);
  });

  test('cannot be rewound here, and says so', async () => {
    const answer = await post('instances/any/rewind?reason=x');
    expect([answer.status, await answer.text()]).toEqual([501, expect.stringContaining('not emulated')]);
  });
});

describe('many instances', () => {
  test('are listed by prefix and status, page by page', async () => {
    for (const id of ['page-1', 'page-2', 'page-3']) await start(host, 'chain', { length: 1 }, id);
    await Promise.all(['page-1', 'page-2', 'page-3'].map((id) => ended(host, id)));
    const path = 'instances/?instanceIdPrefix=page-&runtimeStatus=Completed&top=2';
    const first = await host.durable(path);
    const token = first.headers.get('x-ms-continuation-token') ?? '';
    const second = await host.durable(path, { headers: { 'x-ms-continuation-token': token } });
    const ids = [...((await first.json()) as object[]), ...((await second.json()) as object[])];
    expect(ids.map((each) => 'instanceId' in each && each.instanceId)).toEqual(['page-1', 'page-2', 'page-3']);
    expect(second.headers.get('x-ms-continuation-token')).toBeNull();
  });

  test('are purged by time and status, the running ones never', async () => {
    await start(host, 'twoEvents', {}, 'stays');
    await run(host, 'throwing', {});
    const purge = (query: string) => host.durable(`instances/?${query}`, { method: 'DELETE' });
    expect((await purge('runtimeStatus=Failed')).status).toBe(400);
    expect((await purge('createdTimeFrom=2001-01-01&createdTimeTo=2002-01-01')).status).toBe(404);
    const done = await purge('createdTimeFrom=2001-01-01&runtimeStatus=Failed,Running');
    expect(await done.json()).toEqual({ instancesDeleted: expect.any(Number) });
    expect((await host.durable('instances/stays')).status).toBe(202);
    expect((await host.durable('instances/stays', { method: 'DELETE' })).status).toBe(404);
  });
});

test('the public API needs the system key or the master key', async () => {
  const path = '/runtime/webhooks/durabletask/instances/';
  expect((await host.fetch(path)).status).toBe(401);
  expect((await host.fetch(`${path}?code=function-key`)).status).toBe(401);
  expect((await host.fetch(`${path}?code=master-key`)).status).toBe(200);
});
