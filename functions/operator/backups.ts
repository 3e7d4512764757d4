import { newestFirst } from '../../shared/backup/catalogue.ts';
import { heldOf, retentionNow } from '../activities/backup-pruning.ts';
import { backupWorld } from '../activities/backup-world.ts';
import { readHistory, readRecord } from '../activities/catalogue.ts';
import { manifestOf } from '../activities/restore-requests.ts';
import { requestedBackupId } from '../instance-ids.ts';
import { lookedAfter } from '../looked-after.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './authorise.ts';
import { notListed, ProblemError } from './problem.ts';
import { requestDigest } from './request-digest.ts';

export async function listBackups(world: World): Promise<Answer> {
  const records = await Promise.all(lookedAfter(world.hsms).map(({ name }) => readHistory(world.documents, name)));
  return { status: 200, body: { backups: records.flatMap(newestFirst) } };
}

export async function showBackup(world: World, hsm: string, id: string): Promise<Answer> {
  const record = await readRecord(world.documents, hsm, id);
  if (!record) throw notListed('backup', id);
  const found = await manifestOf(world, record);
  return { status: 200, body: { backup: record, manifest: found.kind === 'manifest' ? found.manifest : found } };
}

/** What an Idempotency-Key stands for; a repeat starts what the first request did not come to start. */
interface BackupReceipt {
  schema: 1;
  hsm: string;
  reason: string;
  by: string;
  started: boolean;
}

/** Asks for a backup now. A request with the same Idempotency-Key is the same request, however often it is sent. */
export async function requestBackup(
  world: World,
  starter: Starter,
  caller: Caller,
  { hsm, reason, idempotencyKey }: { hsm: string; reason: string; idempotencyKey?: string },
): Promise<Answer> {
  backupWorld(world);
  const id = requestedBackupId(hsm, requestDigest(world, caller, idempotencyKey));
  const path = `backup-requests/${id}.json`;
  const receipt: BackupReceipt = { schema: 1, hsm, reason, by: caller.oid, started: false };
  const written = await world.documents.create('state', path, receipt);
  const stored = written === 'exists' ? (await world.documents.read<BackupReceipt>('state', path))?.value : receipt;
  if (stored && stored.reason !== reason) throw keyUsedBefore(`a backup of ${hsm}`);
  if (stored?.started) return accepted(id, false);
  const input = { hsm, purpose: 'requested' as const, cause: `${caller.oid}: ${reason}`, attempt: 1 };
  const outcome = await starter.startOnce('backUpHsm', id, input, ['backedUp']);
  await world.documents.put('state', path, { ...receipt, started: true } satisfies BackupReceipt);
  return accepted(id, outcome === 'running');
}

const accepted = (id: string, joined: boolean): Answer => ({
  status: 202,
  headers: { location: `/api/operations/${id}`, 'retry-after': '10' },
  body: { id, status: 'accepted', joined },
});

/** What would go now, and which of it cannot, because something holds a copy. */
export async function previewRetention(world: World, hsm: string): Promise<Answer> {
  const { retention, rule } = await retentionNow(world, hsm);
  const held = world.backups ? await heldOf(world, hsm, retention.prune) : [];
  return { status: 200, body: { dryRun: true, hsm, rule, ...retention, held } };
}

export const keyUsedBefore = (what: string) =>
  new ProblemError({
    status: 409,
    code: 'InvalidRequest',
    title: 'This Idempotency-Key was used for another request',
    detail: `The key stands for ${what} with other particulars.`,
    nextStep: 'Use a new Idempotency-Key for a new request.',
    errors: [{ field: 'header Idempotency-Key', rule: 'must be new for a new request' }],
  });
