import type { DurableClient } from 'durable-functions';
import { describe, expect, test } from 'vitest';
import { showOperation } from '../../../functions/operator/show-operation.ts';

const times = { createdTime: new Date('2030-01-01T00:00:00Z'), lastUpdatedTime: new Date('2030-01-01T00:01:00Z') };
const client = (getStatus: () => Promise<unknown>) => ({ getStatus }) as unknown as DurableClient;
const show = (status: object) =>
  showOperation(
    client(async () => ({ ...times, ...status })),
    'rotate-1',
  );

describe('showOperation', () => {
  test.each(['Running', 'Pending', 'ContinuedAsNew'])(
    'answers 202 with the phase while it is %s',
    async (runtimeStatus) => {
      expect(await show({ runtimeStatus, customStatus: 'proving', output: { kind: 'early' } })).toMatchObject({
        status: 202,
        headers: { 'retry-after': '5' },
        body: { status: 'running', phase: 'proving', outcome: null },
      });
    },
  );

  test('answers 200 with the outcome once it has ended', async () => {
    expect(await show({ runtimeStatus: 'Completed', output: { kind: 'rotated' } })).toMatchObject({
      status: 200,
      body: { status: 'completed', outcome: { kind: 'rotated' }, startedOn: '2030-01-01T00:00:00.000Z' },
    });
  });

  test('shows what failed in one line, and no stack', async () => {
    const output = "Orchestrator function 'rotateKey' failed: no answer\n    at rotate (/home/site/main.js:1:1)";
    expect((await show({ runtimeStatus: 'Failed', output })).body).toMatchObject({
      status: 'failed',
      outcome: "Orchestrator function 'rotateKey' failed: no answer",
    });
  });

  test('hands on nothing else of the status, which may carry addresses with keys', async () => {
    const { body } = await show({ runtimeStatus: 'Completed', input: 'secret', history: ['secret'] });
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  test('answers 404 to an id that is not known', async () => {
    const unknown = client(async () => {
      throw new Error('DurableClient error: HTTP 404 response. body');
    });
    await expect(showOperation(unknown, 'x')).rejects.toMatchObject({ problem: { status: 404 } });
  });

  test('lets any other failure out as it is', async () => {
    const broken = client(async () => {
      throw new Error('HTTP 500 response');
    });
    await expect(showOperation(broken, 'x')).rejects.toThrow('HTTP 500');
  });
});
