import { describe, expect, test } from 'vitest';
import { workPath } from '../../../functions/activities/backup-copies.ts';
import { backupTidyingActivities } from '../../../functions/activities/backup-tidying.ts';
import {
  enterRecord,
  putAttempt,
  readHistory,
  readRecord,
  readRecords,
} from '../../../functions/activities/catalogue.ts';
import { aRecord } from '../../shared/backup/builders.ts';
import { createFakeWorld } from '../../support/world.ts';

const HSM = 'contoso';
const KEPT = aRecord('2029-12-31T02:00:00.000Z');
const removed = (takenOn: string) => aRecord(takenOn, { prunedOn: '2029-12-01T00:00:00.000Z' });

function aWorld() {
  const world = createFakeWorld();
  return { world, tidy: () => backupTidyingActivities(world).tidyBackups({ hsm: HSM }) };
}

describe('tidyBackups', () => {
  test('puts entries of removed backups where a look does not read them, and keeps them for who asks', async () => {
    const { world, tidy } = aWorld();
    const gone = [removed('2029-01-01T02:00:00.000Z'), removed('2029-01-02T02:00:00.000Z')];
    for (const record of [KEPT, ...gone]) await enterRecord(world.documents, record);
    expect(await tidy()).toMatchObject({ putAway: 2 });
    expect(await readRecords(world.documents, HSM)).toEqual([KEPT]);
    expect((await readHistory(world.documents, HSM)).map(({ id }) => id).sort()).toEqual(
      [KEPT, ...gone].map(({ id }) => id).sort(),
    );
    for (const record of gone) expect(await readRecord(world.documents, HSM, record.id)).toEqual(record);
    expect(await tidy()).toMatchObject({ putAway: 0 });
  });

  test('reads as much at a look after ten years of removed backups as after none', async () => {
    const { world, tidy } = aWorld();
    await enterRecord(world.documents, KEPT);
    for (let day = 0; day < 3650; day++) {
      await enterRecord(world.documents, removed(new Date(Date.UTC(2019, 0, 1 + day)).toISOString()));
    }
    let turns = 0;
    while ((await tidy()).putAway > 0) turns += 1;
    // 200 at once, so that the first look after an upgrade ends in time.
    expect(turns).toBe(19);
    const reads: string[] = [];
    const { read } = world.documents;
    world.documents.read = async (container, path) => {
      reads.push(path);
      return read(container, path);
    };
    await readRecords(world.documents, HSM);
    expect(reads).toHaveLength(1);
    expect(await readHistory(world.documents, HSM)).toHaveLength(3651);
  });

  test('killed between the two writes shows an entry once, and the next run ends it', async () => {
    const { world, tidy } = aWorld();
    await enterRecord(world.documents, removed('2029-01-01T02:00:00.000Z'));
    const { remove } = world.documents;
    world.documents.remove = () => Promise.reject(new Error('killed'));
    await expect(tidy()).rejects.toThrow('killed');
    expect(await readHistory(world.documents, HSM)).toHaveLength(1);
    world.documents.remove = remove;
    expect(await tidy()).toMatchObject({ putAway: 1 });
    expect(await readRecords(world.documents, HSM)).toEqual([]);
    expect(await readHistory(world.documents, HSM)).toHaveLength(1);
  });

  test('drops the work of failed attempts after a week, of this HSM alone, and leaves what is no backup folder', async () => {
    const { world, tidy } = aWorld();
    const put = (path: string) => world.documents.put('state', path, {});
    await put(`${workPath(HSM, 'mhsm-contoso-20291201020000')}/inventory.json`);
    await put(`${workPath(HSM, 'mhsm-contoso-20291201020000')}/copied.json`);
    const kept = [
      `${workPath(HSM, 'mhsm-contoso-20291228020000')}/inventory.json`,
      `${workPath('fabrikam', 'mhsm-fabrikam-20291201020000')}/inventory.json`,
      `${workPath(HSM, 'somebody-elses')}/inventory.json`,
    ];
    for (const path of kept) await put(path);
    expect(await tidy()).toMatchObject({ dropped: 2 });
    expect([...world.stored.keys()].sort()).toEqual(kept.map((path) => `state/${path}`).sort());
    expect(await tidy()).toMatchObject({ dropped: 0 });
  });

  test('drops nothing while an attempt is under way, however old its folder is', async () => {
    const { world, tidy } = aWorld();
    const attempt = { hsm: HSM, instance: 'backup-contoso-1', attempt: 1, startedOn: '2029-12-01T00:00:00.000Z' };
    await world.documents.put('state', `${workPath(HSM, 'mhsm-contoso-20291201020000')}/copied.json`, {});
    await putAttempt(world.documents, { schema: 1, ...attempt, result: 'running' });
    expect(await tidy()).toMatchObject({ dropped: 0 });
    await putAttempt(world.documents, { schema: 1, ...attempt, result: 'failed' });
    expect(await tidy()).toMatchObject({ dropped: 1 });
  });
});
