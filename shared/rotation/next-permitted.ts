import type { Blackout, MaintenanceWindow } from '../policy/rule.ts';
import { endOfBlackouts } from './blackout.ts';
import { currentOpening, nextOpening } from './windows.ts';

/**
 * The first instant from `now` on that lies in a window and in no blackout; no windows means any time. Undefined when none
 * is found within some four years of openings, which only blackouts without end can bring about.
 */
export function nextPermitted(windows: MaintenanceWindow[], blackouts: Blackout[], now: Date): Date | undefined {
  let candidate = now;
  for (let round = 0; round < 1500; round += 1) {
    const clear = endOfBlackouts(blackouts, candidate);
    if (windows.length === 0 || currentOpening(windows, clear)) return clear;
    const opening = nextOpening(windows, clear);
    if (opening === undefined) return undefined;
    candidate = opening.opens;
  }
  return undefined;
}
