import type { Sha256 } from './chain.ts';
import type { JournalEntry } from './entry.ts';
import { createVerifier, type Verifier } from './verify.ts';

/** What the journal holds of one instance; `broken` where the lines that were read do not fit together. */
export type InstanceRead = { kind: 'read'; entries: JournalEntry[] } | { kind: 'broken'; explanation: string };

export interface InstanceReader {
  /** The next line, without its line break. False once the chain is broken. */
  feed(blob: string, line: string): boolean;
  finish(): InstanceRead;
}

/**
 * Picks the entries of one instance out of a journal, and proves that every line from the first one read follows the line
 * before: a line that was put in later does not. What lies before the first line is not looked at.
 */
export function createInstanceReader(instance: string, sha256: Sha256): InstanceReader {
  const entries: JournalEntry[] = [];
  let verifier: Verifier | undefined;
  return {
    feed(blob, line) {
      verifier ??= createVerifier(sha256, previousOf(line));
      if (!verifier.feed(blob, line)) return false;
      if (!line.includes(instance)) return true;
      const entry = JSON.parse(line) as JournalEntry;
      if (entry.instance === instance) entries.push(entry);
      return true;
    },
    finish() {
      const found = verifier?.finish();
      if (found?.kind !== 'broken') return { kind: 'read', entries };
      const explanation = `The journal does not fit together at line ${found.line} of ${found.blob}: ${found.explanation}`;
      return { kind: 'broken', explanation };
    },
  };
}

/** A line that cannot be read is the verifier's to tell. */
function previousOf(line: string): string | undefined {
  try {
    const { prev } = JSON.parse(line) as { prev?: unknown };
    return typeof prev === 'string' ? prev : undefined;
  } catch {
    return undefined;
  }
}
