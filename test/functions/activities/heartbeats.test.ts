import { describe, expect, test } from 'vitest';
import { beat, heartbeatActivities } from '../../../functions/activities/heartbeats.ts';
import { ask } from '../../support/operator.ts';
import { createFakeWorld } from '../../support/world.ts';

const MINUTE = 60_000;

function aWatch() {
  const world = createFakeWorld();
  const activities = heartbeatActivities(world);
  return {
    world,
    activities,
    wait: (minutes: number) => {
      world.now.value = new Date(world.now.value.getTime() + minutes * MINUTE);
    },
    look: async () => {
      const { alarms, memory } = await activities.lookAtHeartbeats();
      await activities.rememberHeartbeats({ memory });
      return alarms.map(({ due }) => due.id);
    },
    health: async () => {
      const { status, body } = await ask(world, 'showHealth');
      const late = (body.heartbeats as { name: string; overdue: boolean }[]).filter(({ overdue }) => overdue);
      return { status, late: late.map(({ name }) => name) };
    },
  };
}

describe('the watch over heartbeats', () => {
  test('tells a silence under one id, and its end, and publishes it as one event', async () => {
    const { world, activities, wait, look } = aWatch();
    await beat(world, 'sweep', 'contoso');
    for (let turn = 0; turn < 6; turn++) {
      expect(await look()).toEqual([]);
      wait(10);
    }
    wait(3);
    const { alarms, memory } = await activities.lookAtHeartbeats();
    expect(alarms.map(({ due }) => due)).toMatchObject([
      {
        id: 'heartbeat-missed-sweep-contoso-2030-01-01T00:00:00.000Z',
        notice: { kind: 'HeartbeatMissed', hsm: 'contoso', last: '2030-01-01T00:00:00.000Z' },
        repeatAfter: 'P1D',
      },
    ]);
    const event = alarms[0]?.event;
    if (!event) throw new Error('a silence is an event');
    await activities.publishHeartbeatMissed({ event });
    await activities.publishHeartbeatMissed({ event: { ...event, at: '2030-01-02T00:00:00.000Z' } });
    expect(new Set(world.published.map(({ id }) => id))).toEqual(
      new Set(['HeartbeatMissed/sweep-contoso/2030-01-01T00:00:00.000Z']),
    );
    await activities.rememberHeartbeats({ memory });
    await beat(world, 'sweep', 'contoso');
    wait(5);
    expect(await look()).toEqual(['heartbeat-recovered-sweep-contoso-2030-01-01T00:00:00.000Z']);
    expect(await look()).toEqual([]);
  });

  test('killed before it remembers tells the same again, under the same ids', async () => {
    const { world, activities, wait, look } = aWatch();
    await look();
    for (let turn = 0; turn < 7; turn++) {
      wait(10);
      await look();
    }
    await beat(world, 'sweep', 'contoso');
    const told = async () => (await activities.lookAtHeartbeats()).alarms.map(({ due }) => due.id);
    expect(await told()).toEqual(await told());
    expect(await told()).toHaveLength(1);
  });

  test('of an app that was stopped tells that alone, to those who care for all of it', async () => {
    const { world, activities, wait, look } = aWatch();
    await look();
    wait(3 * 24 * 60);
    const { alarms } = await activities.lookAtHeartbeats();
    expect(alarms.map(({ due }) => due.notice)).toMatchObject([{ kind: 'HeartbeatMissed', work: 'app' }]);
    const [{ event } = {}] = alarms;
    if (event) await activities.publishHeartbeatMissed({ event });
    expect(world.published).toMatchObject([{ source: 'urn:managed-hsm-lifecycle:test', data: { hsm: '*' } }]);
  });
});

describe('health', () => {
  test('is good at a cold start, and no longer when the watch has not begun after its time', async () => {
    const { wait, health } = aWatch();
    expect(await health()).toEqual({ status: 200, late: [] });
    wait(48);
    expect(await health()).toEqual({ status: 200, late: [] });
    wait(1);
    expect(await health()).toEqual({ status: 503, late: ['watch'] });
  });

  test('answers 503 with the heartbeat that is late, and shows every age', async () => {
    const { world, wait, look, health } = aWatch();
    await beat(world, 'sweep', 'contoso');
    for (let turn = 0; turn < 7; turn++) {
      await look();
      wait(10);
    }
    expect(await health()).toEqual({ status: 503, late: ['sweep-contoso'] });
    const { body } = await ask(world, 'showHealth');
    expect(body.heartbeats).toContainEqual(
      expect.objectContaining({ name: 'sweep-contoso', hsm: 'contoso', ageSeconds: 4200, overdue: true }),
    );
    await beat(world, 'sweep', 'contoso');
    await look();
    expect(await health()).toEqual({ status: 200, late: [] });
  });

  test('that cannot read the heartbeats is not good', async () => {
    const { world } = aWatch();
    const read = world.documents.read.bind(world.documents);
    world.documents.read = (container, path) =>
      path.startsWith('heartbeats/watch') ? Promise.reject(new Error('away')) : read(container, path);
    expect(await ask(world, 'showHealth')).toMatchObject({ status: 503, body: { heartbeats: { unknown: 'away' } } });
  });
});
