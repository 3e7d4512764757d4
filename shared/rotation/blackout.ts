import type { Blackout } from '../policy/rule.ts';

/** The blackout that `now` lies in: from its first instant, until just before its last. The one that ends latest, if several. */
export function currentBlackout(blackouts: Blackout[], now: Date): Blackout | undefined {
  return blackouts
    .filter(({ from, until }) => Date.parse(from) <= now.getTime() && now.getTime() < Date.parse(until))
    .sort((a, b) => Date.parse(b.until) - Date.parse(a.until))[0];
}

/** The first instant from `now` on that no blackout covers, however they follow one another. */
export function endOfBlackouts(blackouts: Blackout[], now: Date): Date {
  let clear = now;
  // Each round leaves one blackout behind for good, so there are no more rounds than blackouts.
  for (let found = currentBlackout(blackouts, clear); found; found = currentBlackout(blackouts, clear)) {
    clear = new Date(found.until);
  }
  return clear;
}
