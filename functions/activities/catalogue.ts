import type { BackupAttempt, BackupRecord } from '../../shared/backup/backup.ts';
import { advanceBackup, type BackupProgress } from '../../shared/backup/catalogue.ts';
import type { Documents } from '../../shared/ports/documents.ts';

/** One document a backup, so that two backups never wait for one another. */
const recordPath = (hsm: string, id: string) => `catalogue/${hsm}/${id}.json`;
/** Entries of removed backups lie apart, so that a look reads as much after ten years as after one. */
const prunedPath = (hsm: string, id: string) => `catalogue-pruned/${hsm}/${id}.json`;
const attemptPath = (hsm: string, instance: string) => `backup-attempts/${hsm}/${instance}.json`;

/** An attempt, and when its start was sent: a start whose reply was lost is looked for from then on. */
export interface StoredAttempt extends BackupAttempt {
  schema: 1;
  instance: string;
  sentOn?: string;
  /** What lay in the folder of a lost start, and since when it is so. */
  landing?: { digest: string; since: string };
}

/** The entry of a backup, whether it is there or was removed. */
export const readRecord = async (documents: Documents, hsm: string, id: string): Promise<BackupRecord | undefined> =>
  // In this order: an entry is written to its new place before it leaves the old one.
  (
    (await documents.read<BackupRecord>('state', recordPath(hsm, id))) ??
    (await documents.read<BackupRecord>('state', prunedPath(hsm, id)))
  )?.value;

/** Enters a backup once; the entry that is there already stays. */
export async function enterRecord(documents: Documents, record: BackupRecord): Promise<void> {
  await documents.create('state', recordPath(record.hsm, record.id), record);
}

/** Moves an entry on. Throws when the catalogue refuses: it would have to forget what it knows. */
export async function advanceRecord(
  documents: Documents,
  hsm: string,
  id: string,
  progress: BackupProgress,
): Promise<BackupRecord> {
  for (;;) {
    const stored = await documents.read<BackupRecord>('state', recordPath(hsm, id));
    if (!stored) throw new Error(`the catalogue of ${hsm} has no backup ${id}`);
    const next = advanceBackup(stored.value, progress);
    if (next.kind === 'refused') throw new Error(next.explanation);
    const written = await documents.replace('state', recordPath(hsm, id), next.record, stored.etag);
    if (written !== 'changed') return next.record;
  }
}

/** What every look reads: all that is there, and what was removed since the last tidying. */
export const readRecords = (documents: Documents, hsm: string): Promise<BackupRecord[]> =>
  readAll<BackupRecord>(documents, `catalogue/${hsm}/`);

/** Those of removed backups as well, each once. */
export async function readHistory(documents: Documents, hsm: string): Promise<BackupRecord[]> {
  const pruned = await readAll<BackupRecord>(documents, `catalogue-pruned/${hsm}/`);
  const present = await readRecords(documents, hsm);
  return [...new Map([...pruned, ...present].map((record) => [record.id, record])).values()];
}

/** Puts the entry of a removed backup where no look reads it. Such an entry never changes, so a repeat does no harm. */
export async function putAway(documents: Documents, record: BackupRecord): Promise<void> {
  if (record.prunedOn === undefined) throw new Error(`backup ${record.id} was not removed`);
  await documents.create('state', prunedPath(record.hsm, record.id), record);
  await documents.remove('state', recordPath(record.hsm, record.id));
}

export const readAttempts = (documents: Documents, hsm: string): Promise<StoredAttempt[]> =>
  readAll<StoredAttempt>(documents, `backup-attempts/${hsm}/`);

export const readAttempt = async (
  documents: Documents,
  hsm: string,
  instance: string,
): Promise<StoredAttempt | undefined> =>
  (await documents.read<StoredAttempt>('state', attemptPath(hsm, instance)))?.value;

/** Written by the one instance that makes the attempt. */
export const putAttempt = (documents: Documents, attempt: StoredAttempt): Promise<void> =>
  documents.put('state', attemptPath(attempt.hsm, attempt.instance), attempt);

export const dropAttempt = (documents: Documents, { hsm, instance }: StoredAttempt): Promise<void> =>
  documents.remove('state', attemptPath(hsm, instance));

async function readAll<T>(documents: Documents, prefix: string): Promise<T[]> {
  const found: T[] = [];
  for await (const path of documents.list('state', prefix)) {
    const stored = await documents.read<T>('state', path);
    if (stored) found.push(stored.value);
  }
  return found;
}
