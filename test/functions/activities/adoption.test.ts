import { describe, expect, test } from 'vitest';
import { adoptionActivities } from '../../../functions/activities/adoption.ts';
import { updateLedger, withVersion } from '../../../functions/activities/ledger.ts';
import type { VersionUse } from '../../../shared/adoption/judge-adoption.ts';
import { AppError } from '../../../shared/errors.ts';
import { ask } from '../../support/operator.ts';
import { protectedWith, withVersionUse } from '../../support/version-use.ts';
import { aKey, createFakeWorld } from '../../support/world.ts';

const OLD = 'a'.repeat(32);
const NEW = 'b'.repeat(32);

/** A world with one key that was rotated on New Year's Day, five days ago. */
async function aWorld(use: VersionUse[], fails?: () => Error | undefined) {
  const world = createFakeWorld({
    orders: {
      versions: [
        aKey({ version: OLD, createdOn: '2029-01-01T00:00:00.000Z' }),
        aKey({ version: NEW, createdOn: '2030-01-01T00:00:00.000Z' }),
      ],
    },
  });
  world.now.value = new Date('2030-01-06T00:00:00.000Z');
  const key = { hsm: 'contoso', name: 'orders' };
  const entry = {
    version: NEW,
    previous: OLD,
    by: 'us',
    instance: 'i',
    proof: 'proven',
    reason: 'NearExpiry',
  } as const;
  await updateLedger(world.documents, key, (ledger) =>
    withVersion(ledger, { ...entry, at: '2030-01-01T00:00:00.000Z' }),
  );
  const asked = withVersionUse(world, use, fails);
  return { world, key, asked, ...adoptionActivities(world) };
}

const moved = [protectedWith(OLD, '2029-12-31T00:00:00.000Z'), protectedWith(NEW, '2030-01-02T00:00:00.000Z')];
const stays = [protectedWith(OLD, '2030-01-05T00:00:00.000Z')];

describe('the adoption watch', () => {
  test('finds what everybody uses by now, with who moved, once', async () => {
    const { world, key, asked, lookAtAdoption, recordAdoption } = await aWorld(moved);
    const found = await lookAtAdoption({ hsm: 'contoso' });
    expect(found).toMatchObject({
      kind: 'looked',
      checked: 1,
      adopted: [{ key, version: NEW, callers: 1, due: { notice: { kind: 'KeyVersionAdopted' } } }],
    });
    expect(asked).toEqual([
      {
        hsm: 'contoso',
        keys: [{ name: 'orders', since: '2029-11-27T00:00:00.000Z' }],
        upTo: '2030-01-06T00:00:00.000Z',
      },
    ]);
    expect(world.stored.has('state/heartbeats/adoption-contoso.json')).toBe(true);
    await recordAdoption({ key, version: NEW, at: '2030-01-06T00:00:00.000Z' });
    expect(await lookAtAdoption({ hsm: 'contoso' })).toMatchObject({ checked: 0, adopted: [] });
  });

  test('says nothing while somebody stays behind', async () => {
    const { lookAtAdoption } = await aWorld(stays);
    expect(await lookAtAdoption({ hsm: 'contoso' })).toMatchObject({ checked: 1, adopted: [] });
  });

  test('says nothing while the logs cannot be read', async () => {
    const away = new AppError('ERR_TRANSIENT', 'away', { nextStep: 'wait' });
    const { lookAtAdoption } = await aWorld(moved, () => away);
    expect(await lookAtAdoption({ hsm: 'contoso' })).toMatchObject({ checked: 1, adopted: [] });
  });

  test('says nothing of a key whose use is more than an answer holds', async () => {
    const { world, lookAtAdoption } = await aWorld(moved);
    world.auditLog = { versionUse: async () => new Map() } as unknown as NonNullable<typeof world.auditLog>;
    expect(await lookAtAdoption({ hsm: 'contoso' })).toMatchObject({ checked: 1, adopted: [] });
  });

  test('leaves out a key that was deleted since', async () => {
    const { world, lookAtAdoption } = await aWorld(moved);
    world.fakeKeys.clear();
    expect(await lookAtAdoption({ hsm: 'contoso' })).toMatchObject({ checked: 0 });
  });

  test('leaves out a key that it may not read, and goes on with the others', async () => {
    const { world, key, lookAtAdoption } = await aWorld(moved);
    world.keys.observe.read = () => Promise.reject(new AppError('ERR_DENIED', 'no', { nextStep: 'Grant it.' }));
    expect(await lookAtAdoption({ hsm: key.hsm })).toMatchObject({ kind: 'looked', checked: 0 });
    expect(world.stored.has('state/heartbeats/adoption-contoso.json')).toBe(true);
  });

  test('is off without logs', async () => {
    const { world, lookAtAdoption } = await aWorld(moved);
    delete world.auditLog;
    expect(await lookAtAdoption({ hsm: 'contoso' })).toEqual({ kind: 'off' });
  });

  test('takes many keys in pages', async () => {
    const { world, lookAtAdoption } = await aWorld(moved);
    for (let number = 0; number < 450; number++) {
      const key = { hsm: 'contoso', name: `key-${number}` };
      await updateLedger(world.documents, key, (ledger) => ({ ...ledger, schema: 1 }));
    }
    const pages: number[] = [];
    let after: string | undefined;
    do {
      const found = await lookAtAdoption({ hsm: 'contoso', ...(after === undefined ? {} : { after }) });
      if (found.kind !== 'looked') throw new Error(found.kind);
      pages.push(found.checked);
      after = found.after;
    } while (after !== undefined);
    expect(pages).toEqual([0, 0, 1]);
  });

  test('asks the log once for a page of keys, and leaves what one page cannot tell to the next', async () => {
    const { world, asked, lookAtAdoption } = await aWorld(moved);
    const versions = world.fakeKeys.get('orders')?.versions ?? [];
    for (let number = 0; number < 59; number++) {
      const key = { hsm: 'contoso', name: `key-${number}` };
      world.fakeKeys.set(key.name, { ...world.fakeKeys.get('orders'), versions } as never);
      await updateLedger(world.documents, key, (ledger) => ({ ...ledger, schema: 1 }));
    }
    const pages: string[][] = [];
    let after: string | undefined;
    do {
      const found = await lookAtAdoption({ hsm: 'contoso', ...(after === undefined ? {} : { after }) });
      if (found.kind !== 'looked') throw new Error(found.kind);
      pages.push(found.adopted.map(({ key }) => key.name));
      expect(world.stored.has('state/heartbeats/adoption-contoso.json')).toBe(found.after === undefined);
      after = found.after;
    } while (after !== undefined);
    expect(pages.map(({ length }) => length)).toEqual([25, 25, 10]);
    expect(new Set(pages.flat()).size).toBe(60);
    expect(asked.map(({ keys }) => keys.length)).toEqual([60, 35, 10]);
  });
});

describe('a key', () => {
  test('is shown with who still uses an old version', async () => {
    const { world } = await aWorld(stays);
    const { body } = await ask(world, 'showKey', { params: { hsm: 'contoso', name: 'orders' } });
    expect(body.adoption).toMatchObject({
      adopted: false,
      callers: [{ caller: 'oid-app', state: 'old', version: OLD }],
    });
  });
});
