import { DAY_MS, durationInDays } from '../time.ts';

/**
 * Milliseconds from 0 up to, but not including, the span; the same for the same version for ever, so that a sweep repeated
 * after a crash comes to the same day, and spread over a fleet so that its keys do not come due together.
 */
export function jitterOffset(hsm: string, name: string, version: string, span: string): number {
  const spanMs = durationInDays(span) * DAY_MS;
  const seed = `${hsm}/${name}/${version}`.toLowerCase();
  return Math.floor((hash32(seed) / 2 ** 32) * spanMs);
}

/** FNV-1a over UTF-16 units, then Murmur3's finaliser: FNV alone leaves names that differ in their last letter side by side. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
