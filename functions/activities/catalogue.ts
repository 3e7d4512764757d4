import type { BackupAttempt, BackupRecord } from '../../shared/backup/backup.ts';
import { advanceBackup, type BackupProgress } from '../../shared/backup/catalogue.ts';
import type { Documents } from '../../shared/ports/documents.ts';

/** One document a backup, so that two backups never wait for one another. */
const recordPath = (hsm: string, id: string) => `catalogue/${hsm}/${id}.json`;
const attemptPath = (hsm: string, instance: string) => `backup-attempts/${hsm}/${instance}.json`;

/** An attempt, and when its start was sent: a start whose reply was lost is looked for from then on. */
export interface StoredAttempt extends BackupAttempt {
  schema: 1;
  instance: string;
  sentOn?: string;
  /** What lay in the folder of a lost start, and since when it is so. */
  landing?: { digest: string; since: string };
}

export const readRecord = async (documents: Documents, hsm: string, id: string): Promise<BackupRecord | undefined> =>
  (await documents.read<BackupRecord>('state', recordPath(hsm, id)))?.value;

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

export const readRecords = (documents: Documents, hsm: string): Promise<BackupRecord[]> =>
  readAll<BackupRecord>(documents, `catalogue/${hsm}/`);

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
