import { type BackupRecord, parseFolder } from '../../shared/backup/backup.ts';
import { type BackupManifest, readManifest } from '../../shared/backup/manifest.ts';
import type { Matter } from '../../shared/journal/decisions.ts';
import type { Documents } from '../../shared/ports/documents.ts';
import type { RestoreApproval, RestoreGuardInput } from '../../shared/restore/guard.ts';
import type { SafetyInput } from '../../shared/restore/safety-backup.ts';
import type { DrillEnd } from '../contracts/drill-outcomes.ts';
import type { RestoreOutcome } from '../contracts/restore-outcomes.ts';
import type { World } from '../world.ts';
import { backupWorld } from './backup-world.ts';
import { readRecord } from './catalogue.ts';
import { digestOf } from './journaled-decision.ts';

/** What a person asked for, as it was asked. Written once, but for `started`. */
export interface StoredRestore {
  schema: 1;
  id: string;
  hsm: string;
  backup: string;
  /** Set for a selective restore. */
  key?: string;
  /** Object id of whoever asked. */
  by: string;
  at: string;
  reason: string;
  /** What was typed. */
  confirmation: string;
  accepts: NonNullable<RestoreGuardInput['accepts']>;
  /** What it would do at the time of the request, the gravest first. */
  preview: string[];
  /** Written once the restore was asked for: until then a repeat of the request asks for it. */
  started: boolean;
}

/** How far the one orchestration of a restore has come with the service. */
export interface RestoreProgress {
  schema: 1;
  /** The restore that was sent last: a start whose reply was lost is looked into from then on. */
  sent?: { attempt: number; sentOn: string; times: number; jobId?: string };
  /** What the service said about the age of the safety backup, each answer once. */
  answers: (SafetyInput['answers'][number] & { id: string })[];
}

const path = (id: string, what: string) => `restores/${id}/${what}.json`;
export const requestPath = (id: string): string => path(id, 'request');

const read = async <T>(documents: Documents, id: string, what: string): Promise<T | undefined> =>
  (await documents.read<T>('state', path(id, what)))?.value;

export const readRestoreRequest = (documents: Documents, id: string) => read<StoredRestore>(documents, id, 'request');
export const readApproval = (documents: Documents, id: string) => read<RestoreApproval>(documents, id, 'decision');
/** The restore of a drill ends as its drill does. */
export const readOutcome = (documents: Documents, id: string) =>
  read<RestoreOutcome | DrillEnd>(documents, id, 'outcome');
export const putOutcome = (documents: Documents, id: string, outcome: RestoreOutcome | DrillEnd) =>
  documents.put('state', path(id, 'outcome'), outcome);

/** What is decided about: everything that was asked for, as it was asked. */
export function restoreMatter(world: World, { started: _, ...asked }: StoredRestore): Matter {
  const { id, hsm, key, by, at } = asked;
  const target = key === undefined ? 'restore' : `keys/${key}`;
  const classes = { asks: 'restore.request', decides: 'restore.decide' } as const;
  return { id, hsm, target, by, at, ...classes, digest: digestOf(world, asked) };
}

/** The first decision counts; the answer is the one that stands. */
export async function decideOnce(
  documents: Documents,
  id: string,
  decision: RestoreApproval,
): Promise<RestoreApproval> {
  const written = await documents.create('state', path(id, 'decision'), decision);
  return written === 'exists' ? ((await readApproval(documents, id)) ?? decision) : decision;
}

export const readProgress = async (documents: Documents, id: string): Promise<RestoreProgress> =>
  (await read<RestoreProgress>(documents, id, 'progress')) ?? { schema: 1, answers: [] };
/** Written by the one instance that restores. */
export const putProgress = (documents: Documents, id: string, progress: RestoreProgress) =>
  documents.put('state', path(id, 'progress'), progress);

/** Ids of every restore that was asked for. */
export async function restoreIds(documents: Documents): Promise<string[]> {
  const ids: string[] = [];
  for await (const found of documents.list('state', 'restores/')) {
    const id = /^restores\/([^/]+)\/request\.json$/.exec(found)?.[1];
    if (id !== undefined) ids.push(id);
  }
  return ids;
}

/** The entry of a backup, whichever HSM it is of: its name says so. */
export async function findBackup(documents: Documents, backup: string): Promise<BackupRecord | undefined> {
  const hsm = parseFolder(backup)?.hsm;
  return hsm === undefined ? undefined : readRecord(documents, hsm, backup);
}

export type FoundManifest =
  | { kind: 'manifest'; manifest: BackupManifest }
  | { kind: 'refused'; reason: string; explanation: string; nextStep: string };

/** The manifest in the vault, if it is the one that was sealed: the hash is that of the bytes as they lie there. */
export async function manifestOf(world: World, record: BackupRecord): Promise<FoundManifest> {
  const { vault } = backupWorld(world);
  const sealed = record.manifest;
  const stored = sealed && (await vault.readJson(sealed.path));
  if (!sealed || !stored) {
    return {
      kind: 'refused',
      reason: 'ManifestMissing',
      explanation: `The vault holds no manifest of backup ${record.id}, so nobody can say what it would bring back.`,
      nextStep: 'Choose another backup.',
    };
  }
  const found = readManifest(JSON.stringify(stored.value), sealed.sha256, () => stored.sha256);
  if (found.kind === 'manifest') return found;
  return {
    kind: 'refused',
    reason: `Manifest${found.reason}`,
    explanation: found.explanation,
    nextStep:
      'Treat it as tampering until explained: read the storage logs of the vault account, and choose another backup.',
  };
}
