import { describe, expect, test } from 'vitest';
import { inspectKey } from '../../../functions/activities/inspect-key.ts';
import { keyActivities } from '../../../functions/activities/keys.ts';
import { aKey, createFakeWorld } from '../../support/world.ts';

const key = { hsm: 'contoso', name: 'orders' };
const old = aKey({ tags: { owner: 'payments@contoso.example', hold: 'true' } });

describe('inspectKey', () => {
  test('gathers what a decision looks at, and changes nothing', async () => {
    const world = createFakeWorld({ orders: { versions: [aKey(), old], policy: { expiryTime: 'P1Y' } } });
    expect(await inspectKey(world, key)).toMatchObject({
      facts: { version: old.version },
      versionsUsed: 2,
      hsmPolicy: { expiryTime: 'P1Y' },
      effective: { hold: { tag: 'hold=true' }, policyVersion: 'built in' },
    });
    expect([world.journalled, world.stored.size]).toEqual([[], 0]);
  });

  test('lets the version before speak for a new one that has no tags yet, so that hold and owner are not lost', async () => {
    const fresh = aKey({ tags: {} });
    const seen = await inspectKey(createFakeWorld({ orders: { versions: [old, fresh] } }), key);
    expect(seen).toMatchObject({ previous: old.version, facts: { version: fresh.version, tags: old.tags } });
    expect(seen.effective.hold).toBeDefined();
  });

  test('lets a version with tags of its own speak for itself', async () => {
    const fresh = aKey({ tags: { owner: 'orders@contoso.example' } });
    const seen = await inspectKey(createFakeWorld({ orders: { versions: [old, fresh] } }), key);
    expect(seen.effective.hold).toBeUndefined();
  });

  test('says who keeps the HSM busy', async () => {
    const world = createFakeWorld({ orders: { versions: [old] } });
    const lock = { schema: 1, kind: 'backup', since: '2030-01-01T00:00:00.000Z', holder: 'backup-contoso' };
    await world.documents.put('state', 'locks/contoso.json', lock);
    expect((await inspectKey(world, key)).busy).toMatchObject({ kind: 'backup', holder: 'backup-contoso' });
  });

  test('of a key that is not there fails with what was not found', async () => {
    await expect(inspectKey(createFakeWorld(), key)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });
});

describe('compareKeyVersion', () => {
  const fresh = aKey({ createdOn: '2030-01-01T00:00:00.000Z', expiresOn: '2031-01-01T00:00:00.000Z', tags: old.tags });

  test('finds nothing to say of a whole version', async () => {
    const world = createFakeWorld({ orders: { versions: [old, { ...fresh, publicFingerprint: '1'.repeat(64) }] } });
    const { compareKeyVersion } = keyActivities(world);
    expect(
      await compareKeyVersion({ key, version: fresh.version, previous: old.version, validity: 'P1Y' }),
    ).toMatchObject({ kind: 'compared', differences: [] });
  });

  test('reads a version back from the HSM: one with the material of the old one is corrupt', async () => {
    const { compareKeyVersion } = keyActivities(createFakeWorld({ orders: { versions: [old, fresh] } }));
    const { differences } = await compareKeyVersion({
      key,
      version: fresh.version,
      previous: old.version,
      validity: 'P1Y',
    });
    expect(differences).toMatchObject([{ attribute: 'publicFingerprint', severity: 'corrupt' }]);
  });

  test('asks again for a version that the answering region does not know yet', async () => {
    const { compareKeyVersion } = keyActivities(createFakeWorld({ orders: { versions: [old] } }));
    await expect(compareKeyVersion({ key, version: 'f'.repeat(32), validity: 'P1Y' })).rejects.toMatchObject({
      code: 'ERR_TRANSIENT',
    });
  });
});
