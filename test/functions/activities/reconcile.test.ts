import { describe, expect, test } from 'vitest';
import { reconcileActivities } from '../../../functions/activities/reconcile.ts';
import { AppError } from '../../../shared/errors.ts';
import type { KeyFacts } from '../../../shared/keys/key.ts';
import { aKey, createFakeWorld, type FakeKey } from '../../support/world.ts';

const policy = (drift: 'repair' | 'tell') =>
  JSON.stringify({
    version: 1,
    defaults: { rotation: { drift, validity: 'P1Y' } },
    owners: { fallback: ['keys@contoso.example'] },
  });

const aFakeKey = (name: string, changes: Partial<KeyFacts> = {}, expiryTime?: string): FakeKey => ({
  versions: [aKey({ name, expiresOn: '2030-12-01T00:00:00.000Z', ...changes })],
  ...(expiryTime === undefined ? {} : { policy: { expiryTime } }),
});

async function aWorld(drift: 'repair' | 'tell', ...keys: FakeKey[]) {
  const world = createFakeWorld(Object.fromEntries(keys.map((key) => [key.versions[0]?.name ?? '', key])));
  await world.documents.put('policy', 'policy.json', policy(drift));
  const reconcile = (after?: string) =>
    reconcileActivities(world).reconcilePolicies({
      hsm: 'contoso',
      instance: 'reconcile-contoso',
      ...(after === undefined ? {} : { after }),
    });
  const writes = () => world.calls.filter((call) => call === 'writeRotationPolicy').length;
  return { world, reconcile, writes };
}

describe('reconcilePolicies', () => {
  test('says nothing of a policy that is in step, however its duration is spelt', async () => {
    const { reconcile, writes } = await aWorld('repair', aFakeKey('a', {}, 'P1Y'), aFakeKey('b', {}, 'P12M'));
    expect(await reconcile()).toEqual({ kind: 'reconciled', checked: 2, drifted: 0, repaired: 0, notices: [] });
    expect(writes()).toBe(0);
  });

  test('tells a drift that it may not repair', async () => {
    const { reconcile, writes } = await aWorld('tell', aFakeKey('a', {}, 'P2Y'));
    expect(await reconcile()).toMatchObject({
      drifted: 1,
      repaired: 0,
      notices: [{ notice: { kind: 'PolicyDrift', action: 'told', differences: [{ found: 'P2Y', expected: 'P1Y' }] } }],
    });
    expect(writes()).toBe(0);
  });

  test('repairs a drift, announced before and answered for after, and run again finds nothing to do', async () => {
    const { world, reconcile, writes } = await aWorld('repair', aFakeKey('a'), aFakeKey('b', {}, 'P90D'));
    expect(await reconcile()).toMatchObject({ drifted: 2, repaired: 2 });
    expect(world.fakeKeys.get('a')?.policy).toMatchObject({ expiryTime: 'P1Y' });
    expect(world.journalled.map(({ kind }) => kind).sort()).toEqual(['intent', 'intent', 'outcome', 'outcome']);
    expect(await reconcile()).toMatchObject({ drifted: 0, repaired: 0 });
    expect(writes()).toBe(2);
  });

  test('refuses a rule that contradicts itself, by a tag, and writes nothing', async () => {
    const key = aFakeKey('a', {}, 'P1Y');
    const { world, reconcile, writes } = await aWorld('repair', key);
    await world.documents.put(
      'policy',
      'policy.json',
      JSON.stringify({
        version: 1,
        classes: { short: { rotation: { validity: 'P60D', before: 'P10D', jitter: 'P1D', plannedLife: 'P5Y' } } },
        keys: [{ match: 'a', rotation: { plannedLife: 'P50Y' } }],
        owners: { fallback: ['keys@contoso.example'] },
      }),
    );
    for (const version of key.versions) version.tags = { class: 'short' };
    const part = await reconcile();
    expect(part.notices).toMatchObject([{ notice: { action: 'refused', refusal: { kind: 'refused' } } }]);
    expect(writes()).toBe(0);
  });

  test.each([
    ['held', { tags: { hold: 'true' } }, 0],
    ['held until a day to come', { tags: { hold: '2030-06-01' } }, 0],
    ['held until a day that has passed', { tags: { hold: '2029-06-01' } }, 1],
    ['disabled', { enabled: false }, 0],
    ['left alone', { tags: { rotate: 'off' } }, 0],
    ['imported', { tags: { origin: 'imported' } }, 0],
    ['due, because its rotation sees to it', { expiresOn: '2030-01-02T00:00:00.000Z' }, 0],
  ])('checks a key that is %s: %#', async (_, changes, checked) => {
    const { reconcile } = await aWorld('repair', aFakeKey('a', changes));
    expect(await reconcile()).toMatchObject({ checked });
  });

  test('passes over a key that was deleted since it was listed', async () => {
    const { world, reconcile } = await aWorld('repair', aFakeKey('a'), aFakeKey('b'));
    const { readRotationPolicy } = world.keys.observe;
    world.keys.observe.readRotationPolicy = async (key) => {
      if (key.name === 'a') throw new AppError('ERR_NOT_FOUND', 'gone', { nextStep: 'x' });
      return readRotationPolicy(key);
    };
    expect(await reconcile()).toMatchObject({ repaired: 1 });
  });

  test('tells a key whose policy cannot be read, and compares the others', async () => {
    const { world, reconcile } = await aWorld('repair', aFakeKey('a'), aFakeKey('b'));
    const { readRotationPolicy } = world.keys.observe;
    world.keys.observe.readRotationPolicy = async (key) => {
      if (key.name === 'a') throw new AppError('ERR_DENIED', 'no', { nextStep: 'Grant it.' });
      return readRotationPolicy(key);
    };
    expect(await reconcile()).toMatchObject({
      repaired: 1,
      notices: [
        { notice: { kind: 'PolicyDrift', key: { name: 'b' } } },
        { notice: { kind: 'KeysUnreadable', work: 'reconciliation', keys: ['a'] }, repeatAfter: 'P1D' },
      ],
    });
  });

  test('goes through every key once, part by part, in the order of names', async () => {
    const names = Array.from({ length: 1201 }, (_, index) => `key-${(index * 7919) % 1201}`);
    const { world, reconcile } = await aWorld('tell', ...names.map((name) => aFakeKey(name, {}, 'P1Y')));
    const seen: string[] = [];
    const { readRotationPolicy } = world.keys.observe;
    world.keys.observe.readRotationPolicy = async (key) => {
      seen.push(key.name);
      return readRotationPolicy(key);
    };
    const parts: number[] = [];
    let after: string | undefined;
    do {
      const part = await reconcile(after);
      parts.push(part.checked);
      after = part.after;
    } while (after !== undefined);
    expect(parts).toEqual([500, 500, 201]);
    expect(seen.toSorted()).toEqual(names.toSorted());
  });
});
