import { gunzipSync, inflateSync } from 'node:zlib';
import { holdsPrivateStructure } from './der.ts';

/** Wrappings within wrappings that are looked through. */
const DEEPEST = 6;
/** A key in base64 is longer, whatever its kind: an Ed25519 key in PKCS#8 takes 64 characters. */
const SHORTEST_RUN = 40;
const LARGEST_INFLATED = 1024 * 1024;
/** Places within one run of text at which a wrapped key may begin. */
const MOST_STARTS = 64;
/** Bytes that one search decodes. Wrapping that takes more is refused as if it held a key. */
const BUDGET = 8 * 1024 * 1024;

/** `PRIVATE KEY` with whatever an encoding put between the words, and what other tools call theirs. */
const LABELS =
  /PRIVATE(?:[\s+_-]|%20|\\[ntr]|=20)*KEY|openssh-key-v1|PuTTY-User-Key-File|<(?:D|InverseQ)>[A-Za-z0-9+/=\s]{16,}</i;
/** A private member of a JWK in a text that is not JSON as a whole. */
const JWK_MEMBER = /["']?\b(?:d|dp|dq|qi|k)\b\\*["']?\s*[:=]\s*\\*["'][A-Za-z0-9_-]{20,}/;
/** Java key stores, whatever they hold. */
const KEY_STORES = ['feedfeed', 'cececece'];

/**
 * Whether the bytes hold private key material: PEM of any kind, PKCS#8, PKCS#1, SEC 1, encrypted PKCS#8, PKCS#12, OpenSSH,
 * PuTTY, JWK, XML or a Java key store, also inside base64, hex, JSON, percent-encoding, UTF-16 or compression, in any
 * nesting. Prefers a false alarm to a miss: callers accept nothing that they cannot read as a certificate anyway.
 */
export const holdsPrivateKey = (bytes: Buffer): boolean => search(bytes, { depth: 0, spent: { bytes: 0 } });

interface Search {
  depth: number;
  /** Shared by the whole search. */
  spent: { bytes: number };
}

function search(bytes: Buffer, { depth, spent }: Search): boolean {
  if (depth > DEEPEST || bytes.length === 0) return false;
  spent.bytes += bytes.length;
  if (spent.bytes > BUDGET) return true;
  if (KEY_STORES.includes(bytes.subarray(0, 4).toString('hex'))) return true;
  if (holdsPrivateStructure(bytes)) return true;
  const inside = { depth: depth + 1, spent };
  const inflated = inflate(bytes);
  if (inflated && search(inflated, inside)) return true;
  const recoded = fromUtf8(bytes);
  if (recoded && search(recoded, inside)) return true;
  // UTF-16 is ASCII with NUL bytes between, in either order.
  const text = bytes.toString('latin1').replaceAll('\0', '');
  return LABELS.test(text) || JWK_MEMBER.test(text) || inText(text, inside);
}

function inText(text: string, inside: Search): boolean {
  const json = parseJson(text);
  if (json !== undefined && inJson(json, inside)) return true;
  if (/%[0-9a-f]{2}/i.test(text)) {
    const decoded = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    if (search(Buffer.from(decoded, 'latin1'), inside)) return true;
  }
  for (const decoded of decodings(text)) if (search(decoded, inside)) return true;
  return false;
}

function inJson(value: unknown, inside: Search): boolean {
  if (typeof value === 'string') return search(Buffer.from(value, isLatin1(value) ? 'latin1' : 'utf8'), inside);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value) && value.length >= SHORTEST_RUN / 2 && value.every(isByte)) {
    return search(Buffer.from(value), inside);
  }
  const { d, k, kty } = value as Record<string, unknown>;
  if (typeof d === 'string' || (kty === 'oct' && typeof k === 'string')) return true;
  return Object.values(value).some((inner) => inJson(inner, inside));
}

/** What stretches of base64 and hex in a text decode to: every long word, and words joined over line breaks. */
function* decodings(text: string): Generator<Buffer> {
  // Labels are letters of base64url too, and would run into what they enclose.
  const plain = text.replace(/\\[nrt]/g, '\n').replace(/-----(?:BEGIN|END) [A-Z0-9 ]*-----/g, ':');
  for (const [run] of plain.matchAll(/[A-Za-z0-9+/_-][A-Za-z0-9+/_=\s-]*/g)) {
    if (run.length < SHORTEST_RUN) continue;
    const words = run.split(/\s+/).filter(Boolean);
    for (const word of words) if (word.length >= SHORTEST_RUN) yield* decode(word);
    for (const start of startsIn(words)) yield* decode(words.slice(start).join(''));
  }
}

/** Where wrapped lines may begin: with the run, after a word of prose, or after padding. */
function startsIn(words: string[]): number[] {
  const starts = [...words.keys()].filter((index) => {
    const before = words[index - 1] ?? '';
    return before.length < SHORTEST_RUN || before.endsWith('=');
  });
  return words.length < 2 ? [] : starts.slice(0, MOST_STARTS);
}

function* decode(text: string): Generator<Buffer> {
  if (text.length < SHORTEST_RUN) return;
  if (/^[0-9a-f]+$/i.test(text)) yield Buffer.from(text, 'hex');
  yield Buffer.from(text, 'base64');
}

function inflate(bytes: Buffer): Buffer | undefined {
  const options = { maxOutputLength: LARGEST_INFLATED };
  try {
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes, options);
    if (bytes[0] === 0x78) return inflateSync(bytes, options);
  } catch {
    // It only began like something compressed.
    return undefined;
  }
  return undefined;
}

/** Bytes that were taken for text and written as UTF-8, as they were before. */
function fromUtf8(bytes: Buffer): Buffer | undefined {
  if (!bytes.some((byte) => byte >= 0x80)) return undefined;
  const text = bytes.toString('utf8');
  return isLatin1(text) ? Buffer.from(text, 'latin1') : undefined;
}

function parseJson(text: string): unknown {
  if (!/^\s*["[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // It only began like JSON, and is searched as text.
    return undefined;
  }
}

const isLatin1 = (text: string): boolean => [...text].every((character) => character <= '\u00ff');

const isByte = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 255;
