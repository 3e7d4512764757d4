import { parseFolder } from '../../shared/backup/backup.ts';
import { daysBetween } from '../../shared/time.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { workPath } from './backup-copies.ts';
import { putAway, readAttempts, readRecords } from './catalogue.ts';

/** Entries put away by one look: an installation that was never tidied gets there by and by. */
const MOST_AT_ONCE = 200;
/** A failed orchestration may be set going again by hand so long, and finds its work. */
const WORK_KEPT_DAYS = 7;

export const backupTidyingActivities = (world: World) =>
  ({
    /** Takes out of the way what no look needs: entries of removed backups, and the work of attempts that failed. */
    async tidyBackups({ hsm }) {
      const records = await readRecords(world.documents, hsm);
      const ended = records.filter(({ prunedOn }) => prunedOn !== undefined).slice(0, MOST_AT_ONCE);
      for (const record of ended) await putAway(world.documents, record);
      return { kind: 'tidied', putAway: ended.length, dropped: await dropOldWork(world, hsm) };
    },
  }) satisfies Partial<ActivityHandlers>;

/**
 * The folder's name says when its backup was taken, and that alone makes it old: an attempt that begins while this runs has a
 * new one. While any attempt of the HSM is under way nothing goes, because nothing says which folder is its own.
 */
async function dropOldWork(world: World, hsm: string): Promise<number> {
  const attempts = await readAttempts(world.documents, hsm);
  if (attempts.some(({ result }) => result === 'running')) return 0;
  const old: string[] = [];
  for await (const path of world.documents.list('state', workPath(hsm))) {
    const folder = path.slice(workPath(hsm).length).split('/')[0] ?? '';
    const takenOn = parseFolder(folder)?.takenOn;
    if (takenOn !== undefined && daysBetween(new Date(takenOn), world.clock.now()) > WORK_KEPT_DAYS) old.push(path);
  }
  for (const path of old) await world.documents.remove('state', path);
  return old.length;
}
