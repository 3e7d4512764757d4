import { describe, expect, test } from 'vitest';
import { reconcileActivities } from '../../../functions/activities/reconcile.ts';
import { AppError, type ErrorCode } from '../../../shared/errors.ts';
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

  /** What reading or writing the policy of `a` does, call by call; after these it works. */
  function failing(world: Awaited<ReturnType<typeof aWorld>>['world'], at: 'read' | 'write', codes: ErrorCode[]) {
    const keys = at === 'read' ? world.keys.observe : world.keys.rotate;
    const { readRotationPolicy, writeRotationPolicy } = keys;
    const fail = (name: string) => {
      const code = name === 'a' ? codes.shift() : undefined;
      if (code !== undefined) throw new AppError(code, 'no', { nextStep: 'x' });
    };
    if (at === 'read') {
      keys.readRotationPolicy = async (key) => {
        fail(key.name);
        return readRotationPolicy(key);
      };
    } else {
      keys.writeRotationPolicy = async (key, policy) => {
        fail(key.name);
        return writeRotationPolicy(key, policy);
      };
    }
  }

  test.each(['read', 'write'] as const)(
    'looks again at the end at a key whose %s failed in passing, and tells nobody once it works',
    async (at) => {
      const { world, reconcile } = await aWorld('repair', aFakeKey('a'), aFakeKey('b'));
      failing(world, at, ['ERR_TRANSIENT']);
      const { checked, repaired, notices } = await reconcile();
      expect({ checked, repaired }).toEqual({ checked: 2, repaired: 2 });
      expect(notices.map(({ notice }) => notice.kind)).toEqual(['PolicyDrift', 'PolicyDrift']);
    },
  );

  test.each([
    ['read', ['ERR_TRANSIENT', 'ERR_TRANSIENT'], 'reconciliation'],
    ['write', ['ERR_TRANSIENT', 'ERR_TRANSIENT'], 'repair'],
    ['write', ['ERR_DENIED'], 'repair'],
  ] as const)('tells a key whose %s fails for good (%j), and repairs the others', async (at, codes, work) => {
    const { world, reconcile } = await aWorld('repair', aFakeKey('a'), aFakeKey('b'));
    failing(world, at, [...codes]);
    expect(await reconcile()).toMatchObject({
      checked: 1,
      repaired: 1,
      notices: [
        { notice: { kind: 'PolicyDrift', key: { name: 'b' } } },
        { notice: { kind: 'KeysUnreadable', work, keys: ['a'], failure: { code: codes[0] } }, repeatAfter: 'P1D' },
      ],
    });
    expect(world.fakeKeys.get('b')?.policy).toMatchObject({ expiryTime: 'P1Y' });
    expect([...world.stored.keys()].some((path) => path.includes('heartbeats'))).toBe(true);
  });

  test('says nothing of a key that was deleted before it could be repaired', async () => {
    const { world, reconcile } = await aWorld('repair', aFakeKey('a'));
    failing(world, 'write', ['ERR_NOT_FOUND']);
    expect(await reconcile()).toMatchObject({ checked: 1, drifted: 0, notices: [] });
  });

  test('asks again as a whole when it is throttled, or when more keys fail than answer', async () => {
    const { world, reconcile } = await aWorld('repair', aFakeKey('a'), aFakeKey('b'));
    failing(world, 'read', ['ERR_THROTTLED']);
    await expect(reconcile()).rejects.toMatchObject({ code: 'ERR_THROTTLED' });
    const names = Array.from({ length: 30 }, (_, index) => `key-${index}`);
    const away = await aWorld('repair', ...names.map((name) => aFakeKey(name)));
    away.world.keys.observe.readRotationPolicy = async () => {
      throw new AppError('ERR_TRANSIENT', 'away', { nextStep: 'Wait.' });
    };
    await expect(away.reconcile()).rejects.toMatchObject({ code: 'ERR_TRANSIENT' });
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
