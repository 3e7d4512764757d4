import type { KeyRef } from '../keys/key.ts';

export interface DeletedKey {
  /** ISO instant at which the service removes it for good. */
  purgeOn?: string;
  /** Purge protection: nobody can purge it before that. */
  protected: boolean;
}

/** Keys that are deleted and not purged. Throws AppError: ERR_TRANSIENT, ERR_THROTTLED, ERR_DENIED, ERR_HSM_BUSY. */
export interface HsmDeletedKeys {
  /** Undefined when no deleted key has the name. */
  read(key: KeyRef): Promise<DeletedKey | undefined>;
}
