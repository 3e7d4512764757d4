import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readLedger } from '../../../functions/activities/ledger.ts';
import { rotationActivities } from '../../../functions/activities/rotation.ts';
import type { ActivityInput } from '../../../functions/contracts/inputs.ts';
import { AppError } from '../../../shared/errors.ts';
import { aKey, createFakeWorld, type FakeWorld } from '../../support/world.ts';

const key = { hsm: 'contoso', name: 'orders' };

function aWorld() {
  const facts = aKey();
  const world = createFakeWorld({ orders: { versions: [facts], policy: { expiryTime: 'P1Y' } } });
  const input: ActivityInput<'createKeyVersion'> = {
    key,
    instance: 'rotate-1',
    expectedVersion: facts.version,
    cause: { kind: 'Sweep' },
    reason: 'NearExpiry',
  };
  return {
    world,
    input,
    create: (more: Partial<typeof input> = {}) => rotationActivities(world).createKeyVersion({ ...input, ...more }),
  };
}

const versionsOf = (world: FakeWorld) => world.fakeKeys.get('orders')?.versions.length;
const later = (world: FakeWorld, seconds: number) => {
  world.now.value = new Date(world.now.value.getTime() + seconds * 1000);
};
const lost = () => {
  throw new AppError('ERR_UNKNOWN_OUTCOME', 'the reply was lost', { nextStep: 'Look again.' });
};
const throttled = () => {
  throw new AppError('ERR_THROTTLED', 'too many', { nextStep: 'Wait.' });
};

describe('createKeyVersion', () => {
  test('makes one version, announces it before and answers for it after', async () => {
    const { world, create } = aWorld();
    expect((await create()).kind).toBe('created');
    expect(versionsOf(world)).toBe(2);
    expect(world.journalled.map(({ kind, class: act, result }) => [kind, act, result])).toEqual([
      ['intent', 'key.rotate', undefined],
      ['outcome', 'key.rotate', 'done'],
    ]);
  });

  test('run again after it succeeded, finds its own version and makes none', async () => {
    const { world, create } = aWorld();
    await create();
    expect(await create()).toMatchObject({ kind: 'alreadyThere', by: 'us' });
    expect(versionsOf(world)).toBe(2);
  });

  test('tells a version that somebody else made from its own', async () => {
    const { world, create } = aWorld();
    await world.keys.rotate.rotate(key);
    expect(await create()).toMatchObject({ kind: 'alreadyThere', by: 'hsm' });
    expect(versionsOf(world)).toBe(2);
  });

  test('with the reply lost after the effect, waits until nothing can follow and then finds its version', async () => {
    const { world, create } = aWorld();
    world.onRotate.after = lost;
    expect(await create()).toEqual({ kind: 'unknown', settleUntil: '2030-01-01T00:00:30.000Z' });
    later(world, 31);
    expect(await create()).toMatchObject({ kind: 'alreadyThere', by: 'us' });
    expect(versionsOf(world)).toBe(2);
  });

  test('with the reply lost before the effect, does not send again until the first call can no longer take effect', async () => {
    const { world, create } = aWorld();
    world.onRotate.before = lost;
    expect((await create()).kind).toBe('unknown');
    delete world.onRotate.before;
    later(world, 29);
    expect((await create()).kind).toBe('unknown');
    expect(versionsOf(world)).toBe(1);
    later(world, 2);
    expect((await create()).kind).toBe('created');
    expect(versionsOf(world)).toBe(2);
  });

  test('after a refusal that came before any effect, another attempt may follow at once', async () => {
    const { world, create } = aWorld();
    world.onRotate.before = throttled;
    await expect(create()).rejects.toMatchObject({ code: 'ERR_THROTTLED' });
    delete world.onRotate.before;
    expect((await create()).kind).toBe('created');
    expect(versionsOf(world)).toBe(2);
  });

  test('of two callers at the same time, only one sends', async () => {
    const { world, create } = aWorld();
    const outcomes = await Promise.all([create({ instance: 'a' }), create({ instance: 'b' })]);
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['created', 'unknown']);
    expect(versionsOf(world)).toBe(2);
  });

  test('does not send when announcing took so long that the call could overlap the next attempt', async () => {
    const { world, create } = aWorld();
    const { append } = world.journal;
    world.journal.append = async (entry) => {
      later(world, 15);
      await append(entry);
    };
    expect((await create()).kind).toBe('unknown');
    expect(world.calls).not.toContain('rotate');
  });

  test('crashed at any write and repeated, however often, makes exactly one version', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(8), { maxLength: 6 }), async (crashes) => {
        const { world, create } = aWorld();
        let writes = 0;
        const plan = [...crashes];
        const crash = () => {
          if (plan.length > 0 && writes++ >= (plan[0] ?? 0)) {
            plan.shift();
            writes = 0;
            throw new Error('killed');
          }
        };
        world.onWrite.before = crash;
        world.onRotate.before = crash;
        const { append } = world.journal;
        world.journal.append = async (entry) => {
          crash();
          await append(entry);
        };
        let kind = '';
        for (let turn = 0; turn < 20 && kind !== 'created' && kind !== 'alreadyThere'; turn++) {
          kind = await create().then(
            (outcome) => outcome.kind,
            () => 'crashed',
          );
          later(world, 31);
        }
        expect(versionsOf(world)).toBe(2);
        const { ledger } = await readLedger(world.documents, key);
        expect(ledger.attempt).toBeUndefined();
        expect(ledger.versions.map(({ by }) => by)).toEqual(['us']);
      }),
      { numRuns: 150 },
    );
  });
});

describe('an act that touches the HSM', () => {
  const common = { key, instance: 'rotate-1', cause: { kind: 'Sweep' } } as const;

  test('keeps the backup once under the version, however often it runs and however the key is spelt', async () => {
    const { world } = aWorld();
    world.fakeKeys.set('ORDERS', world.fakeKeys.get('orders') as never);
    const { backUpKey } = rotationActivities(world);
    await backUpKey({ ...common, version: 'v1' });
    await backUpKey({ ...common, key: { ...key, name: 'ORDERS' }, version: 'v1' });
    expect([...world.stored.keys()].filter((path) => path.startsWith('key-backups/'))).toEqual([
      'key-backups/contoso/orders/v1.keybackup',
    ]);
  });

  test('is announced anew each time it runs, because each run calls the HSM and needs a window of its own', async () => {
    const { world } = aWorld();
    const { writeRotationPolicy } = rotationActivities(world);
    await writeRotationPolicy({ ...common, policy: { expiryTime: 'P1Y' } });
    later(world, 86_400);
    await writeRotationPolicy({ ...common, policy: { expiryTime: 'P1Y' } });
    const intents = world.journalled.filter(({ kind }) => kind === 'intent');
    expect(new Set(intents.map(({ id }) => id)).size).toBe(2);
    for (const { at, window } of intents) expect(window && window.from <= at && at <= window.to).toBe(true);
    const answered = world.journalled.filter(({ kind }) => kind === 'outcome').map(({ intent }) => intent);
    expect(answered).toEqual(intents.map(({ id }) => id));
  });

  test.each([
    ['ERR_DENIED', 'refused'],
    ['ERR_THROTTLED', 'failed'],
  ] as const)('that ends with %s is journaled as %s', async (code, result) => {
    const { world } = aWorld();
    world.keys.rotate.backUp = async () => {
      throw new AppError(code, 'no', { nextStep: 'x' });
    };
    await expect(rotationActivities(world).backUpKey({ ...common, version: 'v1' })).rejects.toMatchObject({ code });
    expect(world.journalled.at(-1)).toMatchObject({ kind: 'outcome', result, detail: { code } });
  });
});

describe('recording', () => {
  test('a version that was found does not make pending what another run has proven meanwhile', async () => {
    const { world, input, create } = aWorld();
    const next = await world.keys.rotate.rotate(key);
    const { read } = world.keys.rotate;
    world.keys.rotate.read = async (...asked) => {
      const facts = await read(...asked);
      await rotationActivities(world).recordRotation({
        key,
        instance: 'other',
        version: next.version,
        previous: input.expectedVersion,
        by: 'us',
        proof: 'proven',
        reason: 'NearExpiry',
        at: '2030-01-01T00:00:00.000Z',
      });
      return facts;
    };
    expect(await create()).toMatchObject({ kind: 'alreadyThere', by: 'us' });
    const { ledger } = await readLedger(world.documents, key);
    expect(ledger.versions).toMatchObject([{ version: next.version, proof: 'proven', instance: 'other' }]);
  });
});

describe('carryTags', () => {
  const common = { key, instance: 'rotate-1', cause: { kind: 'Sweep' } } as const;

  test('gives the new version what it lacks, keeps what it says for itself, and has nothing to do the second time', async () => {
    const old = aKey({ tags: { owner: 'payments', class: 'tier0', note: 'old' } });
    const fresh = aKey({ tags: { note: 'new' } });
    const world = createFakeWorld({ orders: { versions: [old, fresh] } });
    const carry = () =>
      rotationActivities(world).carryTags({ ...common, version: fresh.version, previous: old.version });
    expect(await carry()).toEqual({ kind: 'carried', tags: ['owner', 'class'] });
    expect(fresh.tags).toEqual({ owner: 'payments', class: 'tier0', note: 'new' });
    const before = world.journalled.length;
    expect(await carry()).toEqual({ kind: 'carried', tags: [] });
    expect(world.journalled.length).toBe(before);
  });
});
