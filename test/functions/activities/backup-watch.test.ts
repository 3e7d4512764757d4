import { describe, expect, test } from 'vitest';
import { backupWatchActivities } from '../../../functions/activities/backup-watch.ts';
import { putAttempt, readAttempt } from '../../../functions/activities/catalogue.ts';
import { readHsmLock, takeHsmLock } from '../../../functions/activities/hsm-lock.ts';
import { backupWatchId } from '../../../functions/instance-ids.ts';
import { createFakeLog } from '../../support/log.ts';
import { createFakeStarter } from '../../support/starter.ts';
import { createFakeWorld } from '../../support/world.ts';

const HSM = 'contoso';
const DEAD = 'backup-contoso-20291231T020000Z';

/** A world in whose watch a backup has begun, whose orchestration is under way or not. */
async function aWorld(holder: 'running' | undefined, operation: 'backup' | 'restore' = 'backup') {
  const world = createFakeWorld();
  world.backups = {} as NonNullable<typeof world.backups>;
  const starter = createFakeStarter();
  starter.instances.set(backupWatchId(HSM), 'running');
  starter.instances.set(DEAD, 'running');
  await takeHsmLock(world, starter, { hsm: HSM, holder: DEAD, operation });
  const at = '2029-12-31T02:00:00.000Z';
  const attempt = { hsm: HSM, instance: DEAD, attempt: 1, startedOn: at, scheduledFor: at, result: 'running' } as const;
  await putAttempt(world.documents, { schema: 1, ...attempt });
  if (holder === undefined) starter.instances.delete(DEAD);
  const startDueBackup = () =>
    backupWatchActivities(world).startDueBackup({ hsm: HSM }, { starter, log: createFakeLog().log });
  return { world, starter, startDueBackup };
}

describe('startDueBackup', () => {
  test('joins a backup that is under way', async () => {
    const { world, startDueBackup } = await aWorld('running');
    expect(await startDueBackup()).toMatchObject({ kind: 'running' });
    expect(await readHsmLock(world.documents, HSM)).toMatchObject({ holder: DEAD });
    expect(await readAttempt(world.documents, HSM, DEAD)).toMatchObject({ result: 'running' });
  });

  test.each(['backup', 'restore'] as const)(
    'is not kept waiting by a %s whose orchestration is gone: attempt and lock end with it',
    async (operation) => {
      const { world, starter, startDueBackup } = await aWorld(undefined, operation);
      expect(await startDueBackup()).toMatchObject({ kind: 'started' });
      expect(await readHsmLock(world.documents, HSM)).toBeUndefined();
      expect(await readAttempt(world.documents, HSM, DEAD)).toMatchObject({ result: 'failed' });
      expect(starter.started).toMatchObject([{ name: 'backUpHsm' }]);
    },
  );

  test('forgets attempts of slots that lie more than a schedule back, and no other', async () => {
    const { world, startDueBackup } = await aWorld('running');
    const ended = (instance: string, startedOn: string, result: 'failed' | 'landed') =>
      putAttempt(world.documents, { schema: 1, hsm: HSM, instance, attempt: 1, startedOn, result });
    await ended('old', '2029-11-01T00:00:00.000Z', 'landed');
    await ended('new', '2029-12-01T00:00:00.000Z', 'failed');
    await startDueBackup();
    const kept = [...world.stored.keys()].filter((path) => path.startsWith('state/backup-attempts/'));
    expect(kept.sort()).toEqual([
      `state/backup-attempts/contoso/${DEAD}.json`,
      'state/backup-attempts/contoso/new.json',
    ]);
  });
});
