import * as z from 'zod';
import type { EstateClock } from '../clock.ts';
import { durationMs } from '../duration.ts';
import { parseBody } from './problem.ts';
import type { Route } from './routes.ts';

const isDuration = (text: string) => durationMs(text, new Date(0)) !== undefined;

const move = z.union(
  [
    z.strictObject({
      advance: z.union([
        z.number().int(),
        z.string().refine(isDuration, { error: 'is an ISO 8601 duration such as P30D or PT90S, or milliseconds' }),
      ]),
    }),
    z.strictObject({ set: z.iso.datetime({ offset: true, error: 'is an ISO 8601 instant with its zone' }) }),
  ],
  { error: 'is { "advance": duration or milliseconds } or { "set": instant }' },
);

const reading = (clock: EstateClock) => ({ now: clock.now().toISOString(), offsetMs: clock.offsetMs });

export const clockRoutes = (clock: EstateClock): Route[] => [
  {
    method: 'GET',
    path: '/clock',
    purpose: 'Estate time, and by how much it is ahead of real time.',
    act: () => reading(clock),
  },
  {
    method: 'POST',
    path: '/clock',
    purpose: 'Moves the time of every service and of the host’s timers.',
    example: { advance: 'P30D' },
    act({ body }) {
      const wish = parseBody(move, body());
      if ('set' in wish) clock.set(new Date(wish.set));
      else {
        const { advance } = wish;
        clock.advance(typeof advance === 'number' ? advance : (durationMs(advance, clock.now()) ?? 0));
      }
      return reading(clock);
    },
  },
];
