import type { DurableClient } from 'durable-functions';
import { describe, expect, test } from 'vitest';
import { createStarter } from '../../functions/start-once.ts';

interface Status {
  runtimeStatus: string;
  output?: unknown;
}

/** A durable client over one instance; `refuses` is what the start throws, after `becomes` is how the instance stands. */
function aClient(before?: Status, start: { refuses?: string; becomes?: Status } = {}) {
  let status = before;
  const started: { name: string; options: unknown }[] = [];
  const client = {
    async getStatus() {
      if (!status) throw new Error('DurableClient error: Durable Functions extension replied with HTTP 404 response.');
      return status;
    },
    async startNew(name: string, options: unknown) {
      status = start.becomes ?? { runtimeStatus: 'Pending' };
      if (start.refuses) throw new Error(start.refuses);
      started.push({ name, options });
    },
  };
  return { starter: createStarter(client as unknown as DurableClient), started };
}
const go = ({ starter }: ReturnType<typeof aClient>, final?: string[]) =>
  starter.startOnce('sweepExpiringKeys', 'sweep-contoso', { hsm: 'contoso' }, final);

describe('startOnce', () => {
  test('starts what was never started', async () => {
    const client = aClient();
    expect(await go(client)).toBe('started');
    expect(client.started).toEqual([
      { name: 'sweepExpiringKeys', options: { instanceId: 'sweep-contoso', input: { hsm: 'contoso' } } },
    ]);
  });

  test.each(['Running', 'Pending', 'Suspended', 'ContinuedAsNew'])(
    'leaves an instance that is %s alone',
    async (runtimeStatus) => {
      const client = aClient({ runtimeStatus });
      expect(await go(client)).toBe('running');
      expect(client.started).toEqual([]);
    },
  );

  test.each([
    ['Completed', 'rotated', 'finished'],
    ['Completed', 'deferred', 'started'],
    ['Completed', undefined, 'started'],
    ['Failed', 'rotated', 'started'],
    ['Terminated', undefined, 'started'],
  ])('after %s as %s answers %s, when rotated is final', async (runtimeStatus, kind, outcome) => {
    expect(await go(aClient({ runtimeStatus, output: kind && { kind } }), ['rotated'])).toBe(outcome);
  });

  test('takes a refused start for running when somebody else was quicker', async () => {
    const client = aClient(undefined, { refuses: 'HTTP 500', becomes: { runtimeStatus: 'Running' } });
    expect(await go(client)).toBe('running');
  });

  test('lets a start out that failed for another reason, so that its caller asks again', async () => {
    const client = aClient(undefined, { refuses: 'HTTP 500', becomes: { runtimeStatus: 'Completed' } });
    await expect(go(client)).rejects.toThrow('HTTP 500');
  });

  test('starts nothing blindly while the status cannot be read', async () => {
    const started: string[] = [];
    const client = {
      getStatus: async () => {
        throw new Error('HTTP 503 response');
      },
      startNew: async (name: string) => started.push(name),
    } as unknown as DurableClient;
    await expect(
      createStarter(client).startOnce('sweepExpiringKeys', 'sweep-contoso', { hsm: 'contoso' }),
    ).rejects.toThrow('503');
    expect(started).toEqual([]);
  });
});
