import { request } from 'node:http';
import { expect, test } from 'vitest';
import { listen, requestsInHand } from '../../../infra/local/http.ts';
import { eventually } from './support/parts.ts';

test('a request stays in hand until its work has ended, though the caller gave up long before', async () => {
  let end: () => void = () => undefined;
  const work = new Promise<void>((resolve) => {
    end = resolve;
  });
  const listener = await listen({ origin: 'http://127.0.0.1', handle: () => work.then(() => ({ status: 204 })) });
  const call = request({ host: '127.0.0.1', port: listener.port, agent: false }).on('error', () => undefined);
  call.end();
  await eventually('the work began', () => requestsInHand() === 1 || undefined);
  const gone = new Promise((resolve) => call.once('close', resolve));
  call.destroy();
  await gone;
  expect(requestsInHand()).toBe(1);
  end();
  await eventually('the work ended', () => requestsInHand() === 0 || undefined);
  await listener.close();
});
