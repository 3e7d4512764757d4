import { BACKUP_STATES, type BackupLocation, type BackupRecord, type BackupState } from './backup.ts';

/** What happened to a backup after it landed. */
export type BackupProgress =
  | { kind: 'verified'; on: string; copy: BackupLocation; manifest: { path: string; sha256: string } }
  | { kind: 'locked'; on: string; until: string }
  | { kind: 'proven'; on: string; drill: string }
  | { kind: 'doubted'; on: string; drill: string; reason: string }
  /** Said before the first of its blobs goes. */
  | { kind: 'pruning'; on: string }
  | { kind: 'pruned'; on: string };

export type Advance = { kind: 'advanced'; record: BackupRecord } | { kind: 'refused'; explanation: string };

/**
 * The entry after what happened. States are passed in order and never lost, a repeat changes nothing but later dates, and a
 * proof of a copy that is not locked counts for nothing: what was proven may still be changed.
 */
export function advanceBackup(record: BackupRecord, progress: BackupProgress): Advance {
  const refuse = (why: string): Advance => ({ kind: 'refused', explanation: `Backup ${record.id} ${why}.` });
  if (record.prunedOn !== undefined) return refuse(`was removed on ${record.prunedOn}`);
  if (record.pruningSince !== undefined && progress.kind !== 'pruning' && progress.kind !== 'pruned') {
    return refuse(`is being removed since ${record.pruningSince}`);
  }
  switch (progress.kind) {
    case 'verified':
      return advanced(reach({ ...record, copy: progress.copy, manifest: progress.manifest }, 'verified', progress.on));
    case 'locked':
      if (!hasReached(record, 'verified')) return refuse('is locked only once its copy is verified');
      if (record.lockedUntil !== undefined && Date.parse(progress.until) < Date.parse(record.lockedUntil)) {
        return refuse(`is locked until ${record.lockedUntil}, and a lock is never shortened`);
      }
      return advanced(reach({ ...record, lockedUntil: progress.until }, 'locked', progress.on));
    case 'proven': {
      if (!hasReached(record, 'locked')) return refuse('is proven only once its copy is locked');
      const { doubt: _, ...rest } = record;
      const proven: BackupRecord = { ...rest, provenBy: progress.drill, state: 'proven' };
      return advanced({ ...proven, reachedOn: { ...proven.reachedOn, proven: progress.on } });
    }
    case 'doubted':
      return advanced({ ...record, doubt: { on: progress.on, drill: progress.drill, reason: progress.reason } });
    case 'pruning':
    case 'pruned':
      if (record.lockedUntil !== undefined && Date.parse(progress.on) < Date.parse(record.lockedUntil)) {
        return refuse(`is locked until ${record.lockedUntil}`);
      }
      return advanced(
        progress.kind === 'pruned'
          ? { ...record, prunedOn: progress.on }
          : { ...record, pruningSince: record.pruningSince ?? progress.on },
      );
  }
}

/** True when the backup has come so far or further. */
export const hasReached = (record: Pick<BackupRecord, 'state'>, state: BackupState): boolean =>
  BACKUP_STATES.indexOf(record.state) >= BACKUP_STATES.indexOf(state);

/** Neither removed nor being removed: what is being removed may lack blobs already. */
export const isPresent = ({ pruningSince, prunedOn }: Pick<BackupRecord, 'pruningSince' | 'prunedOn'>): boolean =>
  pruningSince === undefined && prunedOn === undefined;

/** What became of a backup that is not present, in words. */
export const whyAbsent = ({ pruningSince, prunedOn }: Pick<BackupRecord, 'pruningSince' | 'prunedOn'>): string =>
  prunedOn === undefined ? `is being removed since ${pruningSince}` : `was removed on ${prunedOn}`;

/** Verified, whole, and not found wanting by a drill. */
export const isGood = (record: BackupRecord): boolean =>
  hasReached(record, 'verified') && isPresent(record) && record.doubt === undefined;

/** Newest state of the HSM first. */
export const newestFirst = (records: readonly BackupRecord[]): BackupRecord[] =>
  [...records].sort((a, b) => Date.parse(b.takenOn) - Date.parse(a.takenOn) || (a.id < b.id ? 1 : -1));

const advanced = (record: BackupRecord): Advance => ({ kind: 'advanced', record });

function reach(record: BackupRecord, state: BackupState, on: string): BackupRecord {
  if (hasReached(record, state)) return record;
  return { ...record, state, reachedOn: { ...record.reachedOn, [state]: on } };
}
