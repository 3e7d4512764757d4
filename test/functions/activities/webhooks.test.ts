import { describe, expect, test } from 'vitest';
import { keyFactActivities } from '../../../functions/activities/key-facts.ts';
import { notificationActivities } from '../../../functions/activities/notifications.ts';
import { publishingToWebhooksToo } from '../../../functions/activities/outbox.ts';
import { webhookActivities } from '../../../functions/activities/webhooks.ts';
import { redeliverNotification } from '../../../functions/operator/notifications.ts';
import { webhookPayloads } from '../../../functions/operator/webhook-schema.ts';
import type { WebhookCall } from '../../../shared/ports/webhooks.ts';
import { createFakeLog } from '../../support/log.ts';
import { ask } from '../../support/operator.ts';
import { createFakeStarter } from '../../support/starter.ts';
import { createFakeWorld } from '../../support/world.ts';

const fact = {
  key: { hsm: 'contoso', name: 'orders' },
  type: 'KeyNewVersionCreated' as const,
  version: 'a'.repeat(32),
  at: '2030-01-01T00:00:00.000Z',
  detail: {},
};
const notice = {
  kind: 'SweepFailed' as const,
  at: '2030-01-01T00:00:00.000Z',
  hsm: 'contoso',
  failure: { message: 'no answer', nextStep: 'wait' },
};

/** A world with webhooks `soc` and `siem`, whose relays run when the test says so. */
function aWorld(policy?: object) {
  const world = createFakeWorld();
  const calls: (WebhookCall & { webhook: string })[] = [];
  const down = new Set<string>();
  world.webhooks = {
    names: ['soc', 'siem'],
    async call(webhook, call) {
      if (down.has(webhook)) throw new Error('down');
      calls.push({ webhook, ...call });
    },
  };
  if (policy) world.stored.set('policy/policy.json', { text: JSON.stringify(policy), etag: 1 });
  const topic = world.events;
  world.events = publishingToWebhooksToo(world, { publish: (events) => topic.publish(events) });
  const starter = createFakeStarter();
  const context = { log: createFakeLog().log, starter };
  const activities = { ...webhookActivities(world), ...notificationActivities(world), ...keyFactActivities(world) };
  const waiting = () => [...world.stored.keys()].filter((path) => path.startsWith('state/outbox/'));
  const relayAll = async () => {
    await activities.startRelays({}, context);
    for (const { name, id, input } of starter.started.splice(0)) {
      if (name !== 'relayWebhook') continue;
      const relay = input as { webhook: string; message: string };
      const given = await activities.sendWebhook(relay).catch(() => 'spent');
      await activities.settleWebhook({
        ...relay,
        ...(given === 'spent' ? { undelivered: { why: 'it was down', nextStep: 'look' } } : {}),
      });
      starter.instances.set(id, { kind: 'ended' });
    }
  };
  return { world, calls, down, starter, context, activities, waiting, relayAll };
}

describe('an event', () => {
  test('goes to the topic and, in the published shape, to each webhook, with one id however often it is published', async () => {
    const { world, calls, activities, relayAll } = aWorld();
    await activities.publishKeyFact(fact);
    await activities.publishKeyFact(fact);
    await relayAll();
    expect(world.published).toHaveLength(2);
    expect(calls.map(({ webhook }) => webhook)).toEqual(['soc', 'siem']);
    const payload = webhookPayloads.event.parse(JSON.parse(calls[0]?.body ?? ''));
    expect(payload).toMatchObject({
      type: 'ManagedHsmLifecycle.KeyNewVersionCreated',
      installation: 'test',
      data: { subject: 'keys/orders', data: { ObjectName: 'orders' } },
    });
    await activities.publishKeyFact(fact);
    await relayAll();
    expect(new Set(calls.map(({ id }) => id)).size).toBe(1);
  });

  test('reaches the webhooks though the topic is down, and is put into the outbox before it is published', async () => {
    const { world, activities, waiting } = aWorld();
    world.events = publishingToWebhooksToo(world, { publish: () => Promise.reject(new Error('down')) });
    await expect(activities.publishKeyFact(fact)).rejects.toThrow('down');
    expect(waiting()).toHaveLength(2);
  });

  test('goes where the policy routes it', async () => {
    const { calls, activities, relayAll } = aWorld({
      version: 1,
      owners: { fallback: ['a@x.example'], webhooks: { siem: { types: ['Backup*'] } } },
    });
    await activities.publishKeyFact(fact);
    await relayAll();
    expect(calls.map(({ webhook }) => webhook)).toEqual(['soc']);
  });
});

describe('a notice', () => {
  test('is queued in the published shape, relayed at once, and is another call when it is told again', async () => {
    const { calls, starter, context, activities, relayAll } = aWorld();
    expect(await activities.routeNotice({ id: 'n', notice })).toMatchObject({ webhooks: true });
    expect(await activities.queueNotice({ id: 'n', notice }, context)).toEqual({
      kind: 'queued',
      webhooks: ['soc', 'siem'],
    });
    expect(starter.started).toHaveLength(2);
    await relayAll();
    await activities.queueNotice({ id: 'n', notice, lastToldOn: '2030-01-01T00:00:00.000Z' }, context);
    await relayAll();
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
    expect(webhookPayloads.notice.parse(JSON.parse(calls[0]?.body ?? ''))).toMatchObject({
      type: 'ManagedHsmLifecycle.Notice.SweepFailed',
      data: { hsm: 'contoso', mustDo: expect.any(Array) },
    });
  });
});

describe('a relay', () => {
  test('that is killed between sending and settling sends the same id and body again', async () => {
    const { calls, starter, activities, waiting, relayAll } = aWorld();
    await activities.publishKeyFact(fact);
    const [, , webhook = '', file = ''] = (waiting()[0] ?? '').split('/');
    await activities.sendWebhook({ webhook, message: file.replace('.json', '') });
    starter.instances.clear();
    await relayAll();
    const same = calls.filter((each) => each.webhook === webhook);
    expect(same).toHaveLength(2);
    expect(same[1]).toEqual(same[0]);
    expect(waiting()).toEqual([]);
  });

  test('that settles twice keeps one record of what was given up', async () => {
    const { world, down, activities, waiting, relayAll } = aWorld();
    down.add('soc');
    await activities.publishKeyFact(fact);
    const [, , webhook = '', file = ''] = (waiting()[0] ?? '').split('/');
    await relayAll();
    await activities.settleWebhook({
      webhook,
      message: file.replace('.json', ''),
      undelivered: { why: 'again', nextStep: '' },
    });
    const { body } = await ask(world, 'listNotifications');
    expect(body.undelivered).toMatchObject([{ webhook: 'soc', why: 'it was down' }]);
  });

  test('that gave up is sent again by a person: one more call with the same id, and then it is forgotten', async () => {
    const { world, calls, down, starter, activities, waiting, relayAll } = aWorld();
    down.add('soc');
    await activities.publishKeyFact(fact);
    await relayAll();
    const [lost] = (await ask(world, 'listNotifications')).body.undelivered as { id: string; message: string }[];
    expect(lost).toMatchObject({ id: expect.stringMatching(/^webhook-soc-msg-/), nextStep: 'look' });
    const params = { id: lost?.id ?? '' };
    expect(await ask(world, 'redeliverNotification', { params, query: { dryRun: 'true' } })).toMatchObject({
      status: 200,
      body: { dryRun: true, webhook: 'soc' },
    });
    expect(waiting()).toEqual([]);

    down.clear();
    await redeliverNotification(world, starter, params.id, false);
    await relayAll();
    expect(calls.at(-1)).toMatchObject({ webhook: 'soc', id: lost?.message });
    expect((await ask(world, 'listNotifications')).body).toMatchObject({ undelivered: [], waiting: 0 });
    await expect(redeliverNotification(world, starter, params.id, false)).rejects.toMatchObject({
      problem: { code: 'NotificationNotFound' },
    });
  });

  test('that has not ended is not sent again, because what it gives up it takes out of the outbox last', async () => {
    const { world, starter, activities, down, relayAll } = aWorld();
    down.add('soc');
    await activities.publishKeyFact(fact);
    await relayAll();
    const [{ id }] = (await ask(world, 'listNotifications')).body.undelivered as [{ id: string }];
    starter.isUnderWay = async () => true;
    await expect(redeliverNotification(world, starter, id, false)).rejects.toMatchObject({
      problem: { code: 'NotificationUnderWay' },
    });
  });

  test('finds nothing to send once another has settled', async () => {
    const { activities } = aWorld();
    expect(await activities.sendWebhook({ webhook: 'soc', message: 'msg-0' })).toEqual({ kind: 'gone' });
  });
});

describe('a mail that did not go out', () => {
  test('is listed with its notice, sent again to those who have not had it, and forgotten once they have', async () => {
    const { world, activities, starter } = aWorld();
    const id = 'sweep-failed-contoso-"ERR"';
    const to = ['security@contoso.example'];
    await activities.settleNotice({ id, delivered: [], undelivered: to, notice });
    const { body } = await ask(world, 'listNotifications');
    expect(body.undelivered).toMatchObject([{ channel: 'mail', type: 'SweepFailed', to }]);
    const [{ id: lost }] = body.undelivered as [{ id: string }];
    const { body: accepted } = await redeliverNotification(world, starter, lost, false);
    expect(starter.started).toEqual([
      { name: 'deliverNotification', id: (accepted as { id: string }).id, input: { id, notice, again: { to } } },
    ]);
    await activities.settleNotice({ id, delivered: to, undelivered: [] });
    expect((await ask(world, 'listNotifications')).body.undelivered).toEqual([]);
  });
});
