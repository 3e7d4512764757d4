import { canonicalJson } from './canonical.ts';
import type { JournalEntry } from './entry.ts';

/** Lower-case hex SHA-256 of the UTF-8 text; given, because pure code has no crypto of its own. */
export type Sha256 = (text: string) => string;

/** A journal entry as it stands in a blob: `hash` covers everything else in the line, `prev` included. */
export interface ChainedEntry extends JournalEntry {
  prev: string;
  hash: string;
}

/** What the first line of all follows. */
export const GENESIS = '0'.repeat(64);

/**
 * The line for an entry, without a line break, and the hash that the next line must carry. `previousHash` is that of the line
 * before, which for the first line of a blob is the last one of the blob before, and GENESIS for the first of all.
 */
export function chainLine(previousHash: string, entry: JournalEntry, sha256: Sha256): { line: string; hash: string } {
  const linked = { ...entry, prev: previousHash };
  const hash = sha256(canonicalJson(linked));
  return { line: canonicalJson({ ...linked, hash }), hash };
}
