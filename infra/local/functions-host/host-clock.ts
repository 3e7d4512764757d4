import { createClock, type EstateClock } from '../clock.ts';
import { realNow } from '../movable-date.ts';

/** Estate time in this process: starts at the offset it was given and follows the parent's `clock` messages. */
export const hostClock: EstateClock = createClock(realNow, Number(process.env.ESTATE_CLOCK_OFFSET_MS ?? 0));

process.on('message', (message: { type?: string; offsetMs?: number }) => {
  if (message.type === 'clock' && typeof message.offsetMs === 'number')
    hostClock.set(new Date(realNow() + message.offsetMs));
});
