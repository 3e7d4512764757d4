import { describe, expect, test } from 'vitest';
import { notificationActivities } from '../../../functions/activities/notifications.ts';
import { createFakeWorld } from '../../support/world.ts';

const notice = {
  kind: 'SweepFailed' as const,
  at: '2030-01-01T00:00:00.000Z',
  hsm: 'contoso',
  failure: { message: 'no answer', nextStep: 'wait' },
};
const id = 'sweep-failed-contoso-"ERR"';
const to = 'security@contoso.example';

function aDelivery() {
  const world = createFakeWorld();
  const activities = notificationActivities(world);
  const tell = async (repeatAfter?: string) => {
    const routed = await activities.routeNotice({ id, notice, ...(repeatAfter === undefined ? {} : { repeatAfter }) });
    if (routed.kind !== 'routed') return routed.kind;
    const round = routed.lastToldOn === undefined ? {} : { lastToldOn: routed.lastToldOn };
    for (const each of routed.recipients) await activities.sendMail({ id, notice, to: each, ...round });
    await activities.settleNotice({ id, delivered: routed.recipients, undelivered: [] });
    return routed.kind;
  };
  const days = (count: number) => {
    world.now.value = new Date(world.now.value.getTime() + count * 86_400_000);
  };
  return { world, activities, tell, days };
}

describe('a notice', () => {
  test('goes to the fallback when no key names anybody', async () => {
    const { world, tell } = aDelivery();
    expect(await tell()).toBe('routed');
    expect(world.mailed.map((mail) => mail.to)).toEqual([[to]]);
    expect(world.mailed[0]).toMatchObject({ headers: { 'X-Mhsm-Notice': 'SweepFailed' } });
  });

  test('is told once, however often it is asked for', async () => {
    const { world, tell, days } = aDelivery();
    await tell();
    days(400);
    expect(await tell()).toBe('toldRecently');
    expect(world.mailed).toHaveLength(1);
  });

  test('is told again after the time for it, and not before', async () => {
    const { world, tell, days } = aDelivery();
    await tell('P7D');
    days(6.9);
    expect(await tell('P7D')).toBe('toldRecently');
    days(0.1);
    expect(await tell('P7D')).toBe('routed');
    expect(world.mailed).toHaveLength(2);
  });

  test('repeated after a crash is the same message, and told again a week later is another one', async () => {
    const { world, activities, tell, days } = aDelivery();
    await activities.sendMail({ id, notice, to });
    await tell('P7D');
    days(7);
    await tell('P7D');
    const [crashed, first, reminder] = world.mailed.map(({ messageId }) => messageId);
    expect(first).toBe(crashed);
    expect(reminder).not.toBe(first);
    expect(reminder).toMatch(/^[0-9a-f]{32}@test\.managed-hsm-lifecycle$/);
  });

  test('that nobody has had yet may be told at once', async () => {
    const { activities, tell } = aDelivery();
    await activities.settleNotice({ id, delivered: [], undelivered: [to] });
    expect(await tell()).toBe('routed');
  });

  test('keeps who has had it and who has not, under a path that any name fits', async () => {
    const { world, activities } = aDelivery();
    await activities.settleNotice({ id, delivered: ['a@x.example'], undelivered: [to] });
    await activities.settleNotice({ id, delivered: [], undelivered: [to] });
    const [[path, { text }] = ['', { text: '' }]] = world.stored;
    expect(path).toBe('state/notices/sweep-failed-contoso-_ERR_.json');
    expect(JSON.parse(text)).toMatchObject({ undelivered: [to], sent: { 'a@x.example': expect.any(String) } });
    expect(JSON.parse(text).lastToldOn).toBe('2030-01-01T00:00:00.000Z');
  });
});
