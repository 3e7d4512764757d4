import { MINUTE } from '../../traffic/calendar.ts';
import type { TrafficCall, TrafficIntent } from '../../traffic/call.ts';

const SKEW = 5 * MINUTE;

/** A watch list of announced acts, as a rule of a market would join it: who and when, without counting. */
export const isAnnounced = (intents: readonly TrafficIntent[], { caller, key, at }: TrafficCall): boolean =>
  intents.some(
    ({ clientId, target, from, to }) =>
      clientId === caller.app &&
      at >= from - SKEW &&
      at <= to + SKEW &&
      (!target.startsWith('keys/') || target === `keys/${key}`),
  );
