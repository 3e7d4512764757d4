import type { HsmRotationPolicy, KeyFacts, KeyRef, KeySummary, KeyVersionSummary, Tags } from '../keys/key.ts';

/** A rotation that is not answered within this time is aborted: how it ended is then unknown. */
export const ROTATE_TIMEOUT_MS = 20_000;

/**
 * What the lifecycle needs of the keys of a Managed HSM.
 *
 * Throws AppError: ERR_TRANSIENT or ERR_THROTTLED when asking again may help, ERR_DENIED with the data action and identity
 * that is missing, ERR_NOT_FOUND, ERR_HSM_BUSY while a restore runs, ERR_REFUSED_BY_SERVICE for any other refusal.
 */
export interface HsmKeys {
  /** Every key, in pages of 25 as the service gives them; nothing is read per key. */
  pages(hsm: string): AsyncIterable<KeySummary[]>;
  /** The newest version, or the one named. */
  read(key: KeyRef, version?: string): Promise<KeyFacts>;
  /** Oldest first. The only way to count versions. */
  versions(key: KeyRef): Promise<KeyVersionSummary[]>;
  /** Undefined when the key has none. */
  readRotationPolicy(key: KeyRef): Promise<HsmRotationPolicy | undefined>;
  writeRotationPolicy(key: KeyRef, policy: HsmRotationPolicy): Promise<void>;
  /**
   * Makes a new version. Sent once and never replayed by the client: ERR_UNKNOWN_OUTCOME when the reply is lost, because a
   * key holds 100 versions at most and a second one could not be taken back. Aborted after ROTATE_TIMEOUT_MS.
   */
  rotate(key: KeyRef): Promise<KeyFacts>;
  /** Replaces the tags of one version, all of them: the service knows no single tag. */
  writeTags(key: KeyRef, version: string, tags: Tags): Promise<void>;
  /** A version that is disabled does nothing at all: neither protects nor opens. May be repeated. */
  setEnabled(key: KeyRef, version: string, enabled: boolean): Promise<void>;
  /** All versions as one opaque blob, bound to the security domain. */
  backUp(key: KeyRef): Promise<Uint8Array>;
}
