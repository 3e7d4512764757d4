import type { JournalEntry } from '../journal/entry.ts';

/**
 * The append-only record of every act. An entry carries an id; appending the same id again is harmless, because readers
 * take the first. Throws ERR_TRANSIENT, ERR_DENIED: no act without its record.
 */
export interface JournalLog {
  append(entry: JournalEntry): Promise<void>;
  /** Lines of each blob in the order of the chain, as written; `from` (an ISO instant or day) leaves out the blobs of earlier days. */
  lines(options?: { from?: string }): AsyncIterable<{ blob: string; line: string }>;
}
