import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuditRow } from '../../../infra/local/estate.ts';
import { createLogStore } from '../../../infra/local/log-store/store.ts';
import { createWebhookSink } from '../../../infra/local/webhook-sink/server.ts';
import { estateParts } from './support/parts.ts';

const { estate, faults, clock, call } = await estateParts();

describe('The webhook sink', () => {
  const sink = createWebhookSink({ estate });
  beforeAll(() => sink.start());
  afterAll(() => sink.stop());
  beforeEach(() => {
    sink.reset();
    faults.clear();
  });
  const post = () =>
    call({ method: 'POST', url: `${sink.url}/hooks/keys`, headers: { 'x-signature': 'sha256=1' }, body: '{"a":1}' });

  test('keeps what it gets, signature headers included', async () => {
    expect((await post()).status).toBe(204);
    expect(sink.calls).toMatchObject([
      { method: 'POST', path: '/hooks/keys', headers: { 'x-signature': 'sha256=1' }, body: '{"a":1}', status: 204 },
    ]);
  });

  test('answers as the fault says and keeps the call', async () => {
    faults.add({ service: 'webhook', operation: 'Receive', status: 429, headers: { 'retry-after': '7' }, count: 1 });
    expect(await post()).toMatchObject({ status: 429, headers: { 'retry-after': '7' } });
    expect(sink.calls).toMatchObject([{ status: 429 }]);
  });

  test('loses the reply before or after the effect', async () => {
    faults.add({ service: 'webhook', operation: 'Receive', lostReply: 'before', count: 1 });
    await expect(post()).rejects.toThrow();
    expect(sink.calls).toHaveLength(0);
    faults.add({ service: 'webhook', operation: 'Receive', lostReply: 'after', count: 1 });
    await expect(post()).rejects.toThrow();
    expect(sink.calls).toHaveLength(1);
  });
});

describe('The log store', () => {
  const auditRow = (time: Date): AuditRow => ({
    time: time.toISOString(),
    hsm: 'contoso',
    resourceId: '/hsm',
    operationName: 'KeyGet',
    httpStatusCode: 200,
    resultType: 'Success',
    callerIpAddress: '127.0.0.1',
    clientInfo: '',
    requestUri: '',
    correlationId: '',
    durationMs: 1,
    identity: {},
  });

  test('shows a row only once estate time has passed its ingestion delay', () => {
    const store = createLogStore({ clock, ingestionDelayMs: 180_000 });
    store.add(auditRow(clock.now()));
    expect([store.rows().length, store.pending()]).toEqual([0, 1]);
    clock.advance(180_000);
    expect([store.rows().length, store.pending()]).toEqual([1, 0]);
  });

  test('orders rows by the time of the operation and bounds them by a window, its end excluded', () => {
    const store = createLogStore({ clock, ingestionDelayMs: 0 });
    for (const day of [3, 1, 2]) store.inject('AzureDiagnostics', { TimeGenerated: `2030-01-0${day}T00:00:00Z` });
    const days = (window?: { from?: Date; to?: Date }) => store.rows(window).map((row) => row.generatedAt.slice(8, 10));
    expect(days()).toEqual(['01', '02', '03']);
    expect(days({ from: new Date('2030-01-02T00:00:00Z'), to: new Date('2030-01-03T00:00:00Z') })).toEqual(['02']);
  });

  test('comes back as it was saved', () => {
    const store = createLogStore({ clock, ingestionDelayMs: 0 });
    store.add(auditRow(clock.now()));
    const again = createLogStore({ clock });
    again.load(JSON.parse(JSON.stringify(store.save())));
    expect(again.rows()).toEqual(store.rows());
  });
});
