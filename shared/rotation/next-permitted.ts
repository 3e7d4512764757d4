import type { Blackout, MaintenanceWindow } from '../policy/rule.ts';
import { endOfBlackouts } from './blackout.ts';
import { currentOpening, nextOpening } from './windows.ts';

/**
 * The first instant from `now` on that lies in a window and in no blackout; no windows means any time. Undefined when the
 * windows never open: then there is nothing to wait for.
 */
export function nextPermitted(windows: MaintenanceWindow[], blackouts: Blackout[], now: Date): Date | undefined {
  let candidate: Date | undefined = now;
  // Each further round was sent on by a blackout that it has left behind for good, so the rounds are few.
  while (candidate !== undefined) {
    const clear = endOfBlackouts(blackouts, candidate);
    if (windows.length === 0 || currentOpening(windows, clear)) return clear;
    candidate = nextOpening(windows, clear)?.opens;
  }
  return undefined;
}
