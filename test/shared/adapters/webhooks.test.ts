import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createWebhookSink, type WebhookSink } from '../../../infra/local/webhook-sink/server.ts';
import { createWebhooks } from '../../../shared/adapters/webhooks.ts';
import { Secret } from '../../../shared/secret.ts';
import { type Ground, startGround } from './azure/estate.ts';

const OLD = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const NEW = `whsec_${Buffer.alloc(24, 2).toString('base64')}`;
const call = { id: 'msg-1', body: '{"version":1,"text":"Åda"}' };
const now = new Date('2030-01-01T00:00:00.400Z');
const clock = { now: () => now };

let ground: Ground;
let sink: WebhookSink;

beforeAll(async () => {
  ground = await startGround();
  sink = createWebhookSink({ estate: ground.estate });
  await sink.start();
});
afterEach(() => ground.faults.clear());
afterAll(async () => {
  await sink.stop();
  await ground.stop();
});

const hooks = (url: string, ...secrets: string[]) =>
  createWebhooks([{ name: 'soc', url, secrets: secrets.map((each) => new Secret(each)) }], clock);

/** A receiver as the convention describes one, written from its text and not from our code. */
function accepts(secret: string, headers: Record<string, string | undefined>, body: string): boolean {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const expected = createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64'))
    .update(signed)
    .digest();
  return (headers['webhook-signature'] ?? '').split(' ').some((each) => {
    const [version, signature = ''] = each.split(',');
    const given = Buffer.from(signature, 'base64');
    return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

describe('a call of a webhook', () => {
  test('carries a signature that a receiver can verify, and that fails for any change', async () => {
    await hooks(`${sink.url}/keys`, NEW).call('soc', call);
    const { headers, body, path } = sink.calls.at(-1) ?? { headers: {}, body: '', path: '' };
    expect([path, body]).toEqual(['/keys', call.body]);
    expect(headers).toMatchObject({
      'webhook-id': 'msg-1',
      'webhook-timestamp': '1893456000',
      'content-type': 'application/json',
    });
    expect(accepts(NEW, headers, body)).toBe(true);
    expect(accepts(NEW, headers, body.replace('1', '2'))).toBe(false);
    expect(accepts(NEW, { ...headers, 'webhook-id': 'msg-2' }, body)).toBe(false);
    expect(accepts(NEW, { ...headers, 'webhook-timestamp': '1893456001' }, body)).toBe(false);
    expect(accepts(OLD, headers, body)).toBe(false);
  });

  test('is signed with every secret, so that a receiver may hold the old or the new one', async () => {
    await hooks(sink.url, NEW, OLD).call('soc', call);
    const { headers, body } = sink.calls.at(-1) ?? { headers: {}, body: '' };
    expect([accepts(OLD, headers, body), accepts(NEW, headers, body)]).toEqual([true, true]);
  });

  test.each([
    [500, 'ERR_TRANSIENT'],
    [503, 'ERR_TRANSIENT'],
    [408, 'ERR_TRANSIENT'],
    [429, 'ERR_THROTTLED'],
    [401, 'ERR_DENIED'],
    [404, 'ERR_REFUSED_BY_SERVICE'],
    [410, 'ERR_REFUSED_BY_SERVICE'],
  ])('that is answered %i fails as %s, naming webhook and host and neither path nor secret', async (status, code) => {
    ground.faults.add({ service: 'webhook', operation: 'Receive', status });
    const failure = await hooks(`${sink.url}/hook/t0ken?sig=abc`, NEW)
      .call('soc', call)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, message: expect.stringContaining(`soc at localhost`) });
    const shown = JSON.stringify(failure) + String(failure) + (failure as Error).stack;
    expect(shown).not.toMatch(/t0ken|sig=|whsec|AgIC/);
  });

  test('that is never answered is tried again later', async () => {
    ground.faults.add({ service: 'webhook', operation: 'Receive', lostReply: 'after' });
    await expect(hooks(sink.url, NEW).call('soc', call)).rejects.toMatchObject({ code: 'ERR_TRANSIENT' });
  });

  test('follows no redirect', async () => {
    const visited: string[] = [];
    const server: Server = createServer((request, response) => {
      visited.push(request.url ?? '');
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(hooks(`http://127.0.0.1:${port}/start`, NEW).call('soc', call)).rejects.toMatchObject({
      code: 'ERR_REFUSED_BY_SERVICE',
      nextStep: expect.stringContaining('redirects'),
    });
    server.close();
    expect(visited).toEqual(['/start']);
  });

  test('to a name that the settings no longer have is refused for good', async () => {
    await expect(hooks(sink.url, NEW).call('gone', call)).rejects.toMatchObject({ code: 'ERR_CONFIG' });
  });
});
