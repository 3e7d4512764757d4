import { expect, test } from 'vitest';
import { backupActivities } from '../../../functions/activities/backups.ts';
import type { ListedBlob } from '../../../shared/ports/backup-vault.ts';
import { createFakeWorld } from '../../support/world.ts';

const INSTANCE = 'backup-contoso-20300101T000000Z';
const FOLDER = 'mhsm-contoso-20300101000001';
const MINUTE = 60_000;

/** A world in which the reply to the start of a backup was lost, and what lies in the landing container since. */
async function afterALostReply() {
  const world = createFakeWorld();
  world.identities.backup = { duty: 'backup', clientId: 'backup-client' };
  const landed: ListedBlob[] = [];
  let starts = 0;
  world.backups = {
    landingContainerUrl: 'https://landing.example/hsm-backups',
    service: {
      startBackup: async () => {
        starts += 1;
        return { kind: 'unknown', reason: 'no reply' };
      },
    },
    vault: {
      landingFolders: async () => (landed.length > 0 ? [FOLDER] : []),
      listLanding: async () => [...landed],
    },
  } as unknown as NonNullable<typeof world.backups>;
  const start = () =>
    backupActivities(world).startBackup({
      ...{ hsm: 'contoso', instance: INSTANCE, purpose: 'scheduled', cause: 'Scheduled', attempt: 1 },
    });
  const later = (ms: number) => {
    world.now.value = new Date(world.now.value.getTime() + ms);
  };
  const land = (name: string) => landed.push({ name, size: 1, etag: `"${name}"` });
  expect(await start()).toMatchObject({ kind: 'wait' });
  later(MINUTE);
  return { start, later, land, starts: () => starts };
}

test('a folder that a lost start made is taken once nothing has come into it for five minutes', async () => {
  const { start, later, land, starts } = await afterALostReply();
  land('a');
  expect(await start()).toMatchObject({ kind: 'wait' });
  later(4 * MINUTE);
  land('b');
  expect(await start(), 'it still grew').toMatchObject({ kind: 'wait' });
  later(4 * MINUTE);
  expect(await start(), 'it has been quiet for four minutes').toMatchObject({ kind: 'wait' });
  later(MINUTE);
  expect(await start()).toMatchObject({ kind: 'landed', folder: FOLDER, takenOn: '2030-01-01T00:00:01Z' });
  expect(starts()).toBe(1);
});

test('a lost start that made no folder is sent again when it can no longer take effect', async () => {
  const { start, starts } = await afterALostReply();
  await start();
  expect(starts()).toBe(2);
});
