const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const BIN_MS = 600_000;

/** Days, hours and bins of ten minutes since 1970-01-01 in UTC. */
export const dayOf = (ms: number): number => Math.floor(ms / DAY_MS);
export const hourOf = (ms: number): number => Math.floor(ms / HOUR_MS);
export const binOf = (ms: number): number => Math.floor(ms / BIN_MS);

export const isoHour = (hour: number): string => new Date(hour * HOUR_MS).toISOString();
export const isoDay = (day: number): string => new Date(day * DAY_MS).toISOString();
