import { isPresent, whyAbsent } from '../../shared/backup/catalogue.ts';
import { previewRestore, type RestorePreview } from '../../shared/restore/preview.ts';
import { backupWorld } from '../activities/backup-world.ts';
import { readHsmInventory } from '../activities/hsm-inventory.ts';
import { journalRequest } from '../activities/journaled-decision.ts';
import { judgeStoredRestore } from '../activities/restore-guard.ts';
import {
  findBackup,
  manifestOf,
  readRestoreRequest,
  requestPath,
  restoreMatter,
  type StoredRestore,
} from '../activities/restore-requests.ts';
import { restoreId } from '../instance-ids.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './authorise.ts';
import { keyUsedBefore } from './backups.ts';
import { notListed, refusedBecause } from './problem.ts';
import { requestDigest } from './request-digest.ts';

export interface RestoreRequest extends Pick<StoredRestore, 'hsm' | 'backup' | 'key' | 'reason' | 'accepts'> {
  confirm: string;
  dryRun: boolean;
  idempotencyKey?: string;
}

/**
 * Asks for a restore. Nothing happens to the HSM before another person approves it; what can never be done is refused here,
 * before anybody is asked. A request with the same Idempotency-Key is the same request, however often it is sent.
 */
export async function requestRestore(
  world: World,
  starter: Starter,
  caller: Caller,
  request: RestoreRequest,
): Promise<Answer> {
  backupWorld(world);
  const id = restoreId(request.hsm, requestDigest(world, caller, request.dryRun ? undefined : request.idempotencyKey));
  const earlier = await readRestoreRequest(world.documents, id);
  if (earlier) return start(world, starter, sameRequest(earlier, request));

  const preview = await previewOf(world, request);
  const asked = storedRestore(id, caller, world.clock.now(), request, preview);
  const verdict = await judgeStoredRestore(world, asked, 'request');
  if (request.dryRun) return { status: 200, body: { dryRun: true, preview, verdict } };
  if (verdict.kind === 'refused') throw restoreRefused(verdict);
  await journalRequest(world, restoreMatter(world, asked), { backup: asked.backup, reason: asked.reason });
  if ((await world.documents.create('state', requestPath(id), asked)) === 'exists') {
    const first = await readRestoreRequest(world.documents, id);
    if (first) return start(world, starter, sameRequest(first, request));
  }
  return start(world, starter, asked);
}

function storedRestore(
  id: string,
  { oid }: Caller,
  now: Date,
  { hsm, backup, key, reason, accepts, confirm, dryRun }: RestoreRequest,
  preview: RestorePreview,
): StoredRestore {
  return {
    schema: 1,
    id,
    hsm,
    backup,
    ...(key === undefined ? {} : { key }),
    by: oid,
    at: now.toISOString(),
    reason,
    // A dry run shows what else stands in the way; the name is typed for the real one.
    confirmation: dryRun && confirm === '' ? hsm : confirm,
    accepts,
    preview: key === undefined ? preview.summary : [`Nothing else on ${hsm} is touched.`],
    started: false,
  };
}

async function previewOf(world: World, { hsm, backup }: RestoreRequest): Promise<RestorePreview> {
  const record = await findBackup(world.documents, backup);
  if (!record) throw notListed('backup', backup);
  if (!isPresent(record)) {
    const explanation = `Backup ${backup} ${whyAbsent(record)}.`;
    throw restoreRefused({ reason: 'BackupPruned', explanation, nextStep: 'Choose another backup.' });
  }
  const found = await manifestOf(world, record);
  if (found.kind === 'refused') throw restoreRefused(found);
  const { externalKeys, ...inventory } = await readHsmInventory(world, hsm);
  return previewRestore(found.manifest, inventory, externalKeys);
}

/** Asks for the restore once. A crash between the two writes asks again, which starts nothing twice. */
async function start(world: World, starter: Starter, asked: StoredRestore): Promise<Answer> {
  const { id, hsm, key, preview } = asked;
  if (!asked.started) {
    await starter.startOnce(key === undefined ? 'restoreHsm' : 'restoreKey', id, { hsm }, [
      'restored',
      'refused',
      'failed',
    ]);
    await world.documents.put('state', requestPath(id), { ...asked, started: true } satisfies StoredRestore);
  }
  return {
    status: 202,
    headers: { location: `/api/operations/${id}`, 'retry-after': '10' },
    body: { id, status: 'awaitingApproval', decision: `/api/restores/${id}/decision`, preview },
  };
}

function sameRequest(stored: StoredRestore, request: RestoreRequest): StoredRestore {
  const essence = (of: Pick<StoredRestore, 'hsm' | 'backup' | 'key' | 'reason' | 'accepts'>) =>
    JSON.stringify([of.hsm, of.backup, of.key ?? null, of.reason, of.accepts.toSorted()]);
  if (essence(stored) === essence(request)) return stored;
  throw keyUsedBefore(`a restore of ${stored.hsm}`);
}

/** What is typed wrong is mended by typing it again; everything else is a state of the world. */
export const restoreRefused = (refusal: Parameters<typeof refusedBecause>[0]) =>
  refusedBecause(refusal, {
    status: refusal.reason === 'ConfirmationWrong' ? 400 : 409,
    code: 'RestoreRefused',
    title: 'This cannot be restored so',
    ...(refusal.reason === 'ConfirmationWrong'
      ? { errors: [{ field: 'body confirm', rule: 'must be the name of the HSM, as it is written' }] }
      : {}),
  });
