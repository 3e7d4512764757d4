import type { BlobFact } from '../backup/verify-manifest.ts';

/** A blob as its account lists it. */
export interface ListedBlob extends BlobFact {
  /** Changes whenever the blob does. */
  etag: string;
  /** Hex, as the writer gave it; absent where none was given. */
  md5?: string;
}

/** Bytes read and hashed by us. */
export interface HashedBlob {
  size: number;
  /** Hex. */
  sha256: string;
}

export type BlobCopy =
  /** `resumed`: blocks that an earlier attempt had left and that were not sent again. */
  | ({ kind: 'copied'; way: 'streamed' | 'serverSide'; resumed: number } & HashedBlob)
  /** It was copied before, from the same blob. */
  | ({ kind: 'present' } & HashedBlob)
  | { kind: 'sourceMissing' }
  /** The source is not the blob that was listed: nothing was committed. */
  | { kind: 'sourceChanged' }
  /** Another blob has the name, and is left as it is. */
  | { kind: 'occupied' };

export interface BlobLock {
  mode: 'unlocked' | 'locked';
  /** ISO instant until which nothing can be changed or deleted. */
  until: string;
}

/** Something keeps it from being deleted; `until` is absent for a legal hold, and where the service names no end. */
export interface BlobHold {
  kind: 'locked' | 'legalHold';
  /** ISO instant. */
  until?: string;
}

/** What is left under one path, hidden versions included, and what holds any of them. */
export interface KeptBlob {
  path: string;
  hold?: BlobHold;
}

export type BlobRemoval = { kind: 'removed' } | { kind: 'missing' } | { kind: 'held'; hold: BlobHold };

export type StoredJson = { kind: 'stored' | 'present'; sha256: string } | { kind: 'occupied' };

/**
 * The two accounts of a backup: the landing container, which the HSMs write to, and the vault, which keeps verified and
 * locked copies. Paths in the vault are `{folder}/{name}`.
 *
 * Throws AppError: ERR_TRANSIENT, ERR_THROTTLED, ERR_DENIED, ERR_NOT_FOUND for a missing container,
 * ERR_REFUSED_BY_SERVICE for a full or otherwise refusing account.
 */
export interface BackupVault {
  /** Names of the folders in the landing container that begin so; where the result of a lost reply is looked for. */
  landingFolders(prefix: string): Promise<string[]>;
  /** The blobs of one folder, by path within it; empty when there is no such folder. */
  listLanding(folder: string): Promise<ListedBlob[]>;
  listVault(folder: string): Promise<ListedBlob[]>;
  /** Reads one blob whole, in bounded memory. Undefined when it is not there. */
  hashLanding(folder: string, name: string): Promise<HashedBlob | undefined>;
  /** As `hashLanding`: the read-back that proves a copy. */
  hashVault(path: string): Promise<HashedBlob | undefined>;
  /**
   * Copies one blob under the same path, and hashes what was read. A repeat after a crash sends no block again that the
   * vault holds already; nothing is visible before all blocks are there.
   */
  copy(folder: string, blob: ListedBlob): Promise<BlobCopy>;
  /** The other way: puts a verified copy back where an HSM can read it, which is no container with an immutability policy. */
  copyBack(folder: string, blob: ListedBlob): Promise<BlobCopy>;
  /** Sets the time-based immutability of one copy, or prolongs it. `locked` can be undone by nobody. */
  lock(path: string, lock: BlobLock): Promise<void>;
  /** As it was set, also when it has run out; undefined when none was set. ERR_NOT_FOUND when there is no copy. */
  readLock(path: string): Promise<BlobLock | undefined>;
  /** Everything whose path begins so, each path once. What is held cannot be deleted, whoever asks. */
  listKept(prefix: string): Promise<KeptBlob[]>;
  /** Deletes a copy with all its versions; refuses while any of them is locked or held, and then deletes none. */
  remove(path: string): Promise<BlobRemoval>;
  /** Writes a small document once; a repeat of the same is harmless, and another one under the same name is refused. */
  writeJson(path: string, value: unknown): Promise<StoredJson>;
  readJson(path: string): Promise<{ value: unknown; sha256: string } | undefined>;
}
