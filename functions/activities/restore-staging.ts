import { isPresent, whyAbsent } from '../../shared/backup/catalogue.ts';
import { verifyBackup } from '../../shared/backup/verify-manifest.ts';
import type { RestoreActivityOutcomes } from '../contracts/restore-outcomes.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { backupWorld } from './backup-world.ts';
import { refused } from './backups.ts';
import { announceOnHsm } from './hsm-acts.ts';
import { findBackup, manifestOf } from './restore-requests.ts';
import { requestOf } from './restores.ts';

export const restoreStagingActivities = (world: World) =>
  ({
    async stageBackup({ hsm, instance }) {
      const { backup, by } = await requestOf(world, instance);
      return stageCopy(world, { hsm, instance, backup, by });
    },
  }) satisfies Partial<ActivityHandlers>;

/**
 * Reads the verified copy again, and sees to it that the same bytes lie where the HSM can read them: it restores from the
 * landing container alone, because it refuses one with an immutability policy. What is gone there is copied back.
 */
export async function stageCopy(
  world: World,
  { hsm, instance, backup, by }: { hsm: string; instance: string; backup: string; by: string },
): Promise<RestoreActivityOutcomes['stageBackup']> {
  const { vault } = backupWorld(world);
  const record = await findBackup(world.documents, backup);
  if (!record) return refused('BackupUnknown', `The catalogue has no backup ${backup}.`, CHOOSE);
  if (!isPresent(record)) return refused('BackupPruned', `Backup ${backup} ${whyAbsent(record)}.`, CHOOSE);
  const found = await manifestOf(world, record);
  if (found.kind === 'refused') return found;
  const { id: folder } = record;
  const { blobs } = found.manifest;

  const listed = await vault.listVault(folder);
  const copy = [];
  for (const { name } of listed) {
    const hashed = await vault.hashVault(`${folder}/${name}`);
    if (hashed) copy.push({ name, ...hashed });
  }
  const verification = verifyBackup(blobs, { copy });
  if (verification.kind === 'incomplete') {
    return refused('CopyNotAsSealed', verification.explanation, verification.nextStep);
  }

  let putBack = 0;
  for (const blob of blobs) {
    const landed = await vault.hashLanding(folder, blob.name);
    if (landed?.sha256 === blob.sha256) continue;
    const source = listed.find(({ name }) => name === blob.name);
    if (landed || !source) {
      const told = `${folder}/${blob.name} in the landing container is not what was backed up.`;
      return refused('LandingChanged', told, MOVE_AWAY);
    }
    const outcome = await announceOnHsm(world, {
      act: 'restore.stage',
      duty: 'backup',
      hsm,
      target: `${folder}/${blob.name}`,
      instance,
      cause: by,
      step: blob.name,
    });
    const copied = await vault.copyBack(folder, source);
    const back = await vault.hashLanding(folder, blob.name);
    const same = back?.sha256 === blob.sha256;
    await outcome(same ? 'done' : 'failed', { copied: copied.kind });
    if (!same) {
      return refused('NotPutBack', `${folder}/${blob.name} could not be put back: ${copied.kind}.`, MOVE_AWAY);
    }
    putBack += 1;
  }
  return { kind: 'staged', blobs: blobs.length, putBack };
}

const CHOOSE = 'Choose one of GET /api/backups.';
const MOVE_AWAY =
  'Treat it as tampering until explained: keep what lies there elsewhere, remove the folder from the landing container, and ask for the restore again; the verified copy is then put in its place.';
