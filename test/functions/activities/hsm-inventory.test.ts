import { describe, expect, test } from 'vitest';
import { readHsmInventory } from '../../../functions/activities/hsm-inventory.ts';
import { buildManifest } from '../../../shared/backup/manifest.ts';
import { compareWithManifest } from '../../../shared/restore/compare-with-manifest.ts';
import { aManifest } from '../../shared/backup/builders.ts';
import { aKey, createFakeWorld } from '../../support/world.ts';

const TAKEN = '2029-12-31T02:00:00.000Z';

/** A key whose newest version was made at that instant; the inventory is read when the backup is complete. */
async function backedUp(rotatedOn: string) {
  const versions = [aKey(), aKey({ createdOn: rotatedOn, publicFingerprint: 'b'.repeat(64) })];
  const world = createFakeWorld({ orders: { versions } });
  world.backups = {
    access: { roleDefinitions: async () => [], inventory: async () => [] },
  } as unknown as NonNullable<typeof world.backups>;
  const inventory = await readHsmInventory(world, 'contoso', TAKEN);
  const manifest = buildManifest({
    ...aManifest({ takenOn: TAKEN, completedOn: '2029-12-31T02:10:00.000Z' }),
    ...inventory,
  });
  return { world, versions, manifest };
}

describe('the inventory of a backup', () => {
  test.each([
    ['while it was taken', '2029-12-31T02:05:00.000Z'],
    ['after it was taken', '2029-12-31T02:20:00.000Z'],
  ])('of a key that was rotated %s knows the material of the version that is in it', async (_, rotatedOn) => {
    const { world, versions, manifest } = await backedUp(rotatedOn);
    expect(manifest.keys[0]?.versions[0]).toMatchObject({ publicFingerprint: 'f'.repeat(64) });
    // What a restore brings back: the key as it was when the backup was taken.
    world.fakeKeys.set('orders', { versions: versions.slice(0, 1) });
    const restored = await readHsmInventory(world, 'contoso');
    expect(compareWithManifest(manifest, restored)).toMatchObject({ critical: 0 });
    world.fakeKeys.set('orders', { versions: [aKey({ ...versions[0], publicFingerprint: 'c'.repeat(64) })] });
    const other = await readHsmInventory(world, 'contoso');
    expect(compareWithManifest(manifest, other).differences).toMatchObject([{ kind: 'MaterialDiffers' }]);
  });

  test('reads no version but the newest of a key that was not', async () => {
    const { world } = await backedUp('2029-06-01T00:00:00.000Z');
    expect(world.calls.filter((call) => call === 'read')).toHaveLength(1);
  });
});
