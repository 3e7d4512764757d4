import { MEMORY_LIMITS, type SeriesMemory } from './memory.ts';

/** From one end of a month to the next, and a few days. */
const KEPT_HOURS = 35 * 24;
const BURST_HOURS = 2;

type Burst = NonNullable<SeriesMemory['bursts']>[number];

/** Days on which a burst as large came at about this hour: a job that does not run every night. */
export function ranBefore({ bursts = [] }: SeriesMemory, hour: number, count: number, factor: number): number {
  // A run may fall into two hours, and is known by the whole of it.
  const whole = (burst: Burst) => burst.count + (bursts.find((next) => next.hour === burst.hour + 1)?.count ?? 0);
  const alike = bursts.filter((burst) => {
    const apart = Math.abs(hour - burst.hour) % 24;
    const near = Math.min(apart, 24 - apart) <= BURST_HOURS;
    const ago = hour - burst.hour;
    return ago >= 12 && ago < KEPT_HOURS && near && count <= 1.5 * factor * whole(burst);
  });
  return new Set(alike.map((burst) => Math.floor((burst.hour + 12) / 24))).size;
}

export const noted = ({ bursts = [] }: SeriesMemory, hour: number, count: number) =>
  [...bursts, { hour, count }].filter((burst) => hour - burst.hour < KEPT_HOURS).slice(-MEMORY_LIMITS.bursts);

/** A burst may fall into two hours, so what the first leaves of the allowance is for the second. */
export const allowanceLeft = ({ allowance }: SeriesMemory, hour: number, whole: number): number =>
  allowance !== undefined && hour - allowance.hour < 24 ? allowance.left : whole;

export const startOfAllowance = ({ allowance }: SeriesMemory, hour: number): number =>
  allowance !== undefined && hour - allowance.hour < 24 ? allowance.hour : hour;
