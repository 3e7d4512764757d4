import { describe, expect, test } from 'vitest';
import { heartbeatPath } from '../../../functions/activities/heartbeats.ts';
import { readInventory, readSurvey } from '../../../functions/activities/inventory.ts';
import { surveyActivities } from '../../../functions/activities/survey.ts';
import { AppError, type ErrorCode } from '../../../shared/errors.ts';
import type { KeyRef } from '../../../shared/keys/key.ts';
import { createFakeLog } from '../../support/log.ts';
import { createFakeStarter } from '../../support/starter.ts';
import { aKey, createFakeWorld, type FakeKey, type FakeWorld } from '../../support/world.ts';

const hsm = 'contoso';

const notDue = (name: string) => ({ versions: [aKey({ name, expiresOn: '2031-01-01T00:00:00.000Z' })] });
const due = (name: string) => ({ versions: [aKey({ name, expiresOn: '2030-01-03T00:00:00.000Z' })] });
const expired = (name: string) => ({ versions: [aKey({ name, expiresOn: '2029-12-31T00:00:00.000Z' })] });
const keysOf = (...keys: FakeKey[]) => Object.fromEntries(keys.map((key) => [key.versions[0]?.name ?? '', key]));

function aWorld(...keys: FakeKey[]) {
  const world = createFakeWorld(keysOf(...keys));
  const starter = createFakeStarter();
  const context = { starter, log: createFakeLog().log };
  const activities = surveyActivities(world);
  let count = 0;
  const survey = async () => {
    const id = `survey-${++count}`;
    const found = await activities.surveyKeys({ hsm, survey: id });
    return { id, found };
  };
  const start = (id: string, batch: number) => activities.startDueWork({ hsm, survey: id, batch }, context);
  const commit = (id: string) => activities.commitSurvey({ hsm, survey: id });
  const sweep = async () => {
    const { id, found } = await survey();
    for (let batch = 0; batch < found.batches; batch++) await start(id, batch);
    await commit(id);
    return found;
  };
  return { world, starter, survey, start, commit, sweep };
}
const later = (world: FakeWorld, hours: number) => {
  world.now.value = new Date(world.now.value.getTime() + hours * 3_600_000);
};
const reads = (world: FakeWorld) => world.calls.filter((call) => call === 'read').length;
const types = (world: FakeWorld) => world.published.map(({ type, data }) => `${type} ${data.ObjectName}`);

describe('a sweep', () => {
  test('takes what it sees first for known, reads no key that is not due, and starts nothing', async () => {
    const { world, starter, sweep } = aWorld(notDue('a'), notDue('b'));
    expect(await sweep()).toMatchObject({ keys: 2, due: 0, newVersions: 0, batches: 0, notices: [] });
    expect(reads(world)).toBe(0);
    expect(starter.started).toEqual([]);
    expect(Object.keys((await readInventory(world.documents, hsm))?.keys ?? {})).toEqual(['a', 'b']);
  });

  test('of an HSM without keys ends with a heartbeat', async () => {
    const { world, sweep } = aWorld();
    expect(await sweep()).toMatchObject({ keys: 0, batches: 0 });
    expect((await world.documents.read('state', heartbeatPath('sweep', hsm)))?.value).toMatchObject({ keys: 0 });
  });

  test('publishes keys that are due or have expired, and starts their rotation', async () => {
    const { world, starter, sweep } = aWorld(notDue('a'), due('b'), expired('c'));
    expect(await sweep()).toMatchObject({ due: 2 });
    expect(types(world)).toEqual(['KeyNearExpiry b', 'KeyExpired c']);
    expect(starter.started.map(({ name, id }) => [name, id.slice(0, 16)])).toEqual([
      ['rotateKey', 'rotate-contoso-b'],
      ['rotateKey', 'rotate-contoso-c'],
    ]);
  });

  test('announces one fact once, asks for the rotation each time, and reads a due key once', async () => {
    const { world, starter, sweep } = aWorld(due('b'));
    await sweep();
    const [first] = starter.started;
    starter.instances.set(first?.id ?? '', { kind: 'deferred' });
    await sweep();
    expect(types(world)).toEqual(['KeyNearExpiry b']);
    expect(starter.started).toHaveLength(2);
    expect(reads(world)).toBe(1);
    later(world, 72);
    await sweep();
    expect(types(world)).toEqual(['KeyNearExpiry b', 'KeyExpired b']);
  });

  test('confirms a version that nobody recorded, again and again until it is recorded', async () => {
    const { world, starter, sweep } = aWorld(notDue('a'));
    await sweep();
    later(world, 24);
    const { version } = await world.keys.rotate.rotate({ hsm, name: 'a' });
    expect(await sweep()).toMatchObject({ newVersions: 1 });
    expect(starter.started).toMatchObject([
      { name: 'confirmKeyVersion', id: `confirm-contoso-a-${version}`, input: { by: 'hsm', reason: 'Native' } },
    ]);
    starter.instances.clear();
    expect(await sweep()).toMatchObject({ newVersions: 1 });
    await record(world, 'a', version, 'proven');
    expect(await sweep()).toMatchObject({ newVersions: 0 });
    const before = reads(world);
    await sweep();
    expect(reads(world)).toBe(before);
  });

  test('does not mistake its own version for another, and gives its orchestration an hour to prove it', async () => {
    const { world, starter, sweep } = aWorld(notDue('a'));
    await sweep();
    later(world, 24);
    const { version } = await world.keys.rotate.rotate({ hsm, name: 'a' });
    await record(world, 'a', version, 'pending');
    expect(await sweep()).toMatchObject({ newVersions: 0 });
    later(world, 2);
    expect(await sweep()).toMatchObject({ newVersions: 1 });
    expect(starter.started).toMatchObject([{ name: 'confirmKeyVersion', input: { by: 'us' } }]);
  });

  test('passes over a key that was deleted between the list and the read', async () => {
    const { world, starter, sweep } = aWorld(due('a'), due('b'));
    const { read } = world.keys.observe;
    world.keys.observe.read = async (key, version) => {
      if (key.name === 'a') world.fakeKeys.delete('a');
      return read(key, version);
    };
    expect(await sweep()).toMatchObject({ due: 1 });
    expect(starter.started).toMatchObject([{ input: { key: { name: 'b' } } }]);
  });

  test('crashed between start and commit, is repeated by the next one and skips nothing', async () => {
    const { world, starter, survey, start, sweep } = aWorld(due('b'));
    const { id } = await survey();
    await start(id, 0);
    starter.instances.clear();
    await sweep();
    expect(starter.started).toHaveLength(2);
    expect(new Set(world.published.map((event) => event.id)).size).toBe(1);
  });

  test('leaves nothing behind but the inventory, nor of sweeps before it that did not end', async () => {
    const { world, survey, sweep } = aWorld(due('b'));
    const surveys = () => [...world.stored.keys()].filter((path) => path.startsWith('state/surveys/'));
    await world.documents.put('state', 'surveys/contoso-two/other.json', {});
    await survey();
    await survey();
    expect(surveys()).toEqual(['state/surveys/contoso-two/other.json', 'state/surveys/contoso/survey-2.json']);
    await sweep();
    expect(surveys()).toEqual(['state/surveys/contoso-two/other.json']);
  });

  test('survives each of its steps run twice', async () => {
    const { world, starter, survey, start, commit } = aWorld(due('b'));
    const { id } = await survey();
    await start(id, 0);
    await start(id, 0);
    await commit(id);
    await commit(id);
    expect(starter.started).toHaveLength(1);
    expect(new Set(world.published.map((event) => event.id)).size).toBe(1);
    expect(await readSurvey(world.documents, hsm, id)).toBeUndefined();
    expect((await readInventory(world.documents, hsm))?.keys).toHaveProperty('b');
  });

  test('does not forget a batch when the app is killed while it starts one', async () => {
    const { starter, survey, start } = aWorld(due('a'), due('b'), due('c'));
    const { id } = await survey();
    starter.crashes = 1;
    await expect(start(id, 0)).rejects.toThrow('killed');
    expect(await start(id, 0)).toMatchObject({ started: 3 });
  });

  test('starts what is due although the topic takes nothing, and publishes it with the next sweep', async () => {
    const { world, starter, survey, start, sweep } = aWorld(due('a'), due('b'));
    const { publish } = world.events;
    world.events.publish = async () => {
      throw new AppError('ERR_TRANSIENT', 'the topic is away', { nextStep: 'Wait.' });
    };
    const { id } = await survey();
    await expect(start(id, 0)).rejects.toThrow('away');
    expect(starter.started).toHaveLength(2);
    world.events.publish = publish;
    await sweep();
    expect(types(world).sort()).toEqual(['KeyNearExpiry a', 'KeyNearExpiry b']);
    expect(starter.started).toHaveLength(2);
  });

  test('knows a new key by any lawful name, also by one that every object has', async () => {
    const { world, starter, sweep } = aWorld(notDue('a'));
    await sweep();
    world.fakeKeys.set('constructor', notDue('constructor'));
    expect(await sweep()).toMatchObject({ keys: 2, newVersions: 0 });
    expect(starter.started).toEqual([]);
  });

  test('of 5,000 keys that are due at once starts each, in batches that fit into one request to the topic', async () => {
    const { world, starter, sweep } = aWorld(...Array.from({ length: 5000 }, (_, index) => due(`key-${index}`)));
    const sizes: number[] = [];
    const { publish } = world.events;
    world.events.publish = async (events) => {
      sizes.push(JSON.stringify(events).length);
      await publish(events);
    };
    expect(await sweep()).toMatchObject({ keys: 5000, due: 5000, batches: 100 });
    expect(Math.max(...sizes)).toBeLessThan(1_000_000);
    expect(starter.started).toHaveLength(5000);
  });

  test('tells a policy document that does not parse with each survey, at most once a day', async () => {
    const { world, survey } = aWorld(notDue('a'));
    await world.documents.put('policy', 'policy.json', '{"version":');
    const { found } = await survey();
    expect(found.notices).toMatchObject([{ notice: { kind: 'PolicyDocumentFault' }, repeatAfter: 'P1D' }]);
  });

  test('tells once that a policy document is gone, and again when another one goes', async () => {
    const { world, survey } = aWorld(notDue('a'));
    const write = () =>
      world.documents.put('policy', 'policy.json', { version: 1, owners: { fallback: ['keys@contoso.example'] } });
    const lose = async () => {
      await write();
      await survey();
      await world.documents.remove('policy', 'policy.json');
      return (await survey()).found.notices;
    };
    const [first] = await lose();
    expect(first).toMatchObject({ notice: { kind: 'PolicyDocumentMissing' }, repeatAfter: 'P365D' });
    const [second] = await lose();
    expect(second?.id).not.toBe(first?.id);
  });
});

describe('a key that cannot be read', () => {
  const deny = (world: FakeWorld, code: ErrorCode, ...names: string[]) => {
    const { read } = world.keys.observe;
    world.keys.observe.read = async (key, version) => {
      if (names.includes(key.name)) throw new AppError(code, `no reading ${key.name}`, { nextStep: 'Look.' });
      return read(key, version);
    };
    return () => {
      world.keys.observe.read = read;
    };
  };

  test('is told to those who care for it, and the others are swept', async () => {
    const { world, starter, sweep } = aWorld(due('a'), due('b'), due('c'));
    deny(world, 'ERR_DENIED', 'b');
    const found = await sweep();
    expect(starter.started.map(({ input }) => (input as { key: KeyRef }).key.name)).toEqual(['a', 'c']);
    expect(found.notices).toMatchObject([
      {
        notice: {
          kind: 'KeysUnreadable',
          keys: ['b'],
          notify: { notify: ['payments@contoso.example'] },
          failure: { code: 'ERR_DENIED', message: 'no reading b' },
        },
        repeatAfter: 'P1D',
      },
    ]);
    expect((await readInventory(world.documents, hsm))?.unread).toEqual(['b']);
  });

  test('for a passing fault is told at the second sweep in a row', async () => {
    const { world, sweep } = aWorld(due('a'), due('b'));
    const cure = deny(world, 'ERR_TRANSIENT', 'b');
    expect((await sweep()).notices).toEqual([]);
    expect((await sweep()).notices).toMatchObject([{ notice: { kind: 'KeysUnreadable', keys: ['b'] } }]);
    cure();
    expect(await sweep()).toMatchObject({ due: 2, notices: [] });
    deny(world, 'ERR_TRANSIENT', 'b');
    expect((await sweep()).notices).toEqual([]);
  });

  test('has its new version confirmed as soon as it can be', async () => {
    const { world, sweep } = aWorld(notDue('a'));
    await sweep();
    later(world, 24);
    await world.keys.rotate.rotate({ hsm, name: 'a' });
    const cure = deny(world, 'ERR_DENIED', 'a');
    expect(await sweep()).toMatchObject({ newVersions: 0 });
    cure();
    expect(await sweep()).toMatchObject({ newVersions: 1 });
  });

  test('is told once with others of the same readers, and for each circle of readers', async () => {
    const mine = (name: string) => ({
      versions: [aKey({ ...due(name).versions[0], tags: { notify: 'a@b.example' } })],
    });
    const { world, survey } = aWorld(due('a'), due('b'), mine('c'));
    deny(world, 'ERR_DENIED', 'a', 'b', 'c');
    const { found } = await survey();
    expect(found.notices.map(({ notice }) => 'keys' in notice && notice.keys)).toEqual([['a', 'b'], ['c']]);
  });

  test.each<[string, ErrorCode, number, number]>([
    ['a throttled sweep, whose next attempt may come through', 'ERR_THROTTLED', 1, 20],
    ['a sweep in which more keys fail than answer', 'ERR_DENIED', 20, 10],
  ])('is not made of %s', async (_, code, failing, answering) => {
    const names = Array.from({ length: failing + answering }, (_, index) => `key-${index}`);
    const { world, survey } = aWorld(...names.map(due));
    deny(world, code, ...names.slice(0, failing));
    await expect(survey()).rejects.toMatchObject({ code });
  });

  test('is one of many, as long as more keys answer', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `key-${index}`);
    const { world, survey } = aWorld(...names.map(due));
    deny(world, 'ERR_DENIED', ...names.filter((_, index) => index % 3 === 0));
    expect((await survey()).found).toMatchObject({ due: 26, notices: [{ notice: { keys: { length: 14 } } }] });
  });
});

const record = (world: FakeWorld, name: string, version: string, proof: 'pending' | 'proven') =>
  world.documents.put('state', `rotations/${hsm}/${name}.json`, {
    schema: 1,
    key: { hsm, name },
    versions: [
      {
        version,
        previous: '',
        by: 'us',
        instance: 'i',
        at: world.now.value.toISOString(),
        proof,
        reason: 'NearExpiry',
      },
    ],
  });
