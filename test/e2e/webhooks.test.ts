import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate, killAt } from './support.ts';

let estate: RunningEstate;
let look: Observer;

beforeAll(async () => {
  ({ estate, look } = await bootEstate({ webhook: true }));
});
afterAll(() => estate?.stop());

test('a webhook that is down gets everything once it is up, signed, though the host is killed after it sent', async () => {
  await look.plantDue('hooked', 1);
  const fault = estate.estate.faults.add({ service: 'webhook', operation: 'Receive', status: 503 });
  await estate.runTimer('expirySweepTimer');
  await look.eventually(() => look.mailAbout('hooked').length > 0, 'the mail about the rotation');
  await estate.runTimer('webhookRelayTimer');
  await look.eventually(() => estate.webhooks.calls.length >= 3, 'a call for each event and the notice');
  expect(estate.webhooks.calls.every(({ status }) => status === 503)).toBe(true);

  estate.estate.faults.remove(fault.id);
  const kills = killAt(estate, ['sendWebhook', 'settleWebhook'], 'end');
  await look.settled();
  await kills.done();
  await estate.runTimer('webhookRelayTimer');
  await look.settled();
  expect(kills.steps).toContain('sendWebhook');

  const taken = estate.webhooks.calls.filter(({ status }) => status === 204);
  const bodies = new Map(taken.map(({ headers, body }) => [headers['webhook-id'], body]));
  const types = [...bodies.values()].map((body) => (JSON.parse(body) as { type: string }).type).sort();
  expect(types).toEqual([
    'ManagedHsmLifecycle.KeyNearExpiry',
    'ManagedHsmLifecycle.KeyNewVersionCreated',
    'ManagedHsmLifecycle.Notice.KeyRotated',
  ]);
  for (const { headers, body } of taken) {
    expect(body).toBe(bodies.get(headers['webhook-id']));
    const key = Buffer.from(estate.secrets.webhookSecret.slice(6), 'base64');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  }
  const { body } = await look.api('GET', '/api/notifications', { as: 'viewer' });
  expect(body).toMatchObject({ undelivered: [], waiting: 0, webhooks: ['sink'] });
});

test('a webhook that stays down is given up, told, and sent again when a person asks', async () => {
  await look.plantDue('given-up', 1);
  const fault = estate.estate.faults.add({ service: 'webhook', operation: 'Receive', status: 404 });
  await estate.runTimer('expirySweepTimer');
  await look.settled();
  expect(look.mailAbout('given-up')).toHaveLength(1);
  await look.run('webhookRelayTimer');
  estate.estate.faults.remove(fault.id);

  const { body } = await look.api('GET', '/api/notifications', { as: 'viewer' });
  const { undelivered } = body as { undelivered: { id: string; message: string; why: string }[] };
  expect(undelivered.length).toBeGreaterThanOrEqual(3);
  expect(undelivered[0]?.why).toContain('404');
  for (const { id } of undelivered) {
    const path = `/api/notifications/${id}/redelivery`;
    expect((await look.api('POST', path, { as: 'viewer', body: {} })).status).toBe(403);
    const { status, headers } = await look.api('POST', path, { as: 'operator', body: {} });
    expect(status).toBe(202);
    expect(await look.operation(headers.location ?? '')).toMatchObject({ kind: 'delivered' });
  }
  const { body: after } = await look.api('GET', '/api/notifications', { as: 'viewer' });
  expect(after).toMatchObject({ undelivered: [], waiting: 0 });
});
