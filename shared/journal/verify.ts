import { canonicalJson } from './canonical.ts';
import { type ChainedEntry, GENESIS, type Sha256 } from './chain.ts';

export interface OpenIntent {
  id: string;
  class: string;
  at: string;
  hsm: string;
  target: string;
  instance: string;
}

export type ChainBreak =
  | 'NotJson'
  | 'NotAnEntry'
  /** The text differs from what the entry in it would be written as: a duplicate name, a reordered or padded line. */
  | 'NotCanonical'
  | 'HashMismatch'
  /** A line was removed, inserted or moved here. */
  | 'LinkMismatch'
  /** The journal ends before the line whose hash was expected last. */
  | 'EndsEarly';

export type Verification =
  | {
      kind: 'unbroken';
      /** Lines, repeats included. */
      entries: number;
      /** Lines whose id stood in an earlier line: a step that ran twice. Readers take the first. */
      repeats: number;
      lastHash: string;
      /** Announced and never answered. */
      open: OpenIntent[];
    }
  | { kind: 'broken'; blob: string; line: number; reason: ChainBreak; explanation: string };

export interface Verifier {
  /** The next line, without its line break. False once the chain is broken: what follows proves nothing. */
  feed(blob: string, line: string): boolean;
  finish(expectedLastHash?: string): Verification;
}

/**
 * Proves a journal unbroken line by line, holding only ids in memory. Start from the last hash of an earlier blob to verify
 * what follows it, and name the hash you expect last: a chain alone cannot show that its end was cut off.
 */
export function createVerifier(sha256: Sha256, startAfter: string = GENESIS): Verifier {
  const seen = new Set<string>();
  const open = new Map<string, OpenIntent>();
  /** An outcome may stand before a repeat of its intent, never before the intent itself; answered ones stay answered. */
  const answered = new Set<string>();
  let lastHash = startAfter;
  let entries = 0;
  let position = { blob: '', line: 0 };
  let broken: Verification | undefined;

  const breakAt = (reason: ChainBreak, explanation: string) => {
    broken = { kind: 'broken', ...position, reason, explanation };
    return false;
  };

  return {
    feed(blob, line) {
      if (broken !== undefined) return false;
      position = { blob, line: blob === position.blob ? position.line + 1 : 1 };
      const parsed = parse(line);
      if (parsed === undefined) return breakAt('NotJson', 'The line is no JSON.');
      if (!isChained(parsed)) return breakAt('NotAnEntry', 'The line lacks what every entry has.');
      if (canonicalJson(parsed) !== line)
        return breakAt('NotCanonical', 'The line is not written as the journal writes it.');
      const { hash, ...linked } = parsed;
      if (sha256(canonicalJson(linked)) !== hash)
        return breakAt('HashMismatch', 'The line was changed after it was written.');
      if (parsed.prev !== lastHash)
        return breakAt('LinkMismatch', 'The line before is not the one that this line follows.');
      lastHash = hash;
      entries += 1;
      note(parsed);
      return true;
    },
    finish(expectedLastHash) {
      if (broken !== undefined) return broken;
      if (expectedLastHash !== undefined && expectedLastHash !== lastHash) {
        breakAt('EndsEarly', 'The last line is not the one that was expected: lines were cut off, or added.');
      }
      return broken ?? { kind: 'unbroken', entries, repeats: entries - seen.size, lastHash, open: [...open.values()] };
    },
  };

  function note(entry: ChainedEntry): void {
    seen.add(entry.id);
    if (entry.kind === 'outcome' && entry.intent !== undefined) {
      answered.add(entry.intent);
      open.delete(entry.intent);
    }
    if (entry.kind === 'intent' && !answered.has(entry.id)) {
      const { id, class: act, at, hsm, target, instance } = entry;
      open.set(id, { id, class: act, at, hsm, target, instance });
    }
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const TEXTS = ['id', 'kind', 'class', 'at', 'hsm', 'target', 'cause', 'instance', 'prev', 'hash'] as const;

function isChained(value: unknown): value is ChainedEntry {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return TEXTS.every((name) => Object.hasOwn(value, name) && typeof Reflect.get(value, name) === 'string');
}
