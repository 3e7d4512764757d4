/**
 * ISO 8601 durations and instants.
 *
 * Our own, because pure code takes no dependency: the same duration must mean the same instant in a decision, in a replayed
 * orchestration and in a test, whatever a library's next release thinks of months. Years and months are calendar steps in
 * UTC, clamped to the end of the month (31 January + P1M = 28 or 29 February); weeks, days and time parts are elapsed time.
 */
export interface Duration {
  years: number;
  months: number;
  weeks: number;
  days: number;
  hours: number;
  minutes: number;
  seconds: number;
}

export const DAY_MS = 86_400_000;

/** Whole numbers only, as in every duration that the service documents; at least one part, and one after a `T`. */
export const DURATION_PATTERN =
  /^P(?=\d|T\d)(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?$/;

/** Undefined when the text is no duration. Weeks may stand beside other parts. */
export function parseDuration(text: string): Duration | undefined {
  const match = DURATION_PATTERN.exec(text);
  if (match === null) return undefined;
  const part = (index: number) => Number(match[index] ?? 0);
  return {
    years: part(1),
    months: part(2),
    weeks: part(3),
    days: part(4),
    hours: part(5),
    minutes: part(6),
    seconds: part(7),
  };
}

/** The shortest text that parses to the same parts; `PT0S` for nothing. */
export function printDuration(duration: Duration): string {
  const part = (value: number, unit: string) => (value === 0 ? '' : `${value}${unit}`);
  const { years, months, weeks, days, hours, minutes, seconds } = duration;
  const date = part(years, 'Y') + part(months, 'M') + part(weeks, 'W') + part(days, 'D');
  const time = part(hours, 'H') + part(minutes, 'M') + part(seconds, 'S');
  if (date === '' && time === '') return 'PT0S';
  return `P${date}${time === '' ? '' : `T${time}`}`;
}

/** `P1Y6M` as `1 year 6 months`, for people; a text that is no duration as it is. */
export function durationInWords(iso: string): string {
  const duration = parseDuration(iso);
  if (duration === undefined) return iso;
  const parts = Object.entries(duration).filter(([, value]) => value !== 0);
  const words = parts.map(([unit, value]) => `${value} ${value === 1 ? unit.slice(0, -1) : unit}`);
  return words.join(' ') || '0 seconds';
}

/** Later by the duration. Throws RangeError when the text is none: durations are parsed where they enter, so that is a bug. */
export const addDuration = (date: Date, iso: string): Date => shift(date, required(iso), 1);

/** Earlier by the duration; 31 March − P1M = 28 or 29 February. Throws as addDuration does. */
export const subtractDuration = (date: Date, iso: string): Date => shift(date, required(iso), -1);

/**
 * Length in days for limits and comparisons: a year is 365 days and a month a twelfth of it, so that P12M and P1Y are the
 * same length. Throws as addDuration does.
 */
export function durationInDays(iso: string): number {
  const duration = required(iso);
  return (monthsOf(duration) * 365) / 12 + elapsedMs(duration) / DAY_MS;
}

/** Negative, zero or positive by nominal length. */
export const compareDurations = (a: string, b: string): number => durationInDays(a) - durationInDays(b);

/**
 * True when both always reach the same instant: P1Y = P12M, P1W = P7D = PT168H. P365D is not P1Y, because a leap year
 * parts them.
 */
export function sameDuration(a: string, b: string): boolean {
  const [left, right] = [required(a), required(b)];
  return monthsOf(left) === monthsOf(right) && elapsedMs(left) === elapsedMs(right);
}

/** Fractional days from one instant to another; negative when `to` is earlier. */
export const daysBetween = (from: Date, to: Date): number => (to.getTime() - from.getTime()) / DAY_MS;

/** ISO 8601 in UTC, without milliseconds when there are none. */
export const toIso = (date: Date): string => date.toISOString().replace('.000Z', 'Z');

const INSTANT_PATTERN = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;
const DATE_PATTERN = /^\d{4}-\d{2}-\d{2}$/;

/** An instant with its zone, `2026-03-01T09:00Z`; undefined for anything else, a 31 February included. */
export function parseInstant(text: string): Date | undefined {
  const day = INSTANT_PATTERN.exec(text)?.[1];
  if (day === undefined || parseDay(day) === undefined) return undefined;
  const instant = new Date(text);
  return Number.isNaN(instant.getTime()) ? undefined : instant;
}

/** The first instant in UTC of a calendar day, `2026-03-01`; undefined for a day that no calendar has. */
export function parseDay(text: string): Date | undefined {
  if (!DATE_PATTERN.test(text)) return undefined;
  const day = new Date(`${text}T00:00:00Z`);
  // Date rolls 31 February over into March instead of refusing it.
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text) ? day : undefined;
}

function required(iso: string): Duration {
  const duration = parseDuration(iso);
  if (duration === undefined) throw new RangeError(`Not an ISO 8601 duration: ${iso}`);
  return duration;
}

const monthsOf = (duration: Duration): number => duration.years * 12 + duration.months;

function elapsedMs({ weeks, days, hours, minutes, seconds }: Duration): number {
  return (weeks * 7 + days) * DAY_MS + hours * 3_600_000 + minutes * 60_000 + seconds * 1000;
}

function shift(date: Date, duration: Duration, sign: 1 | -1): Date {
  const shifted = new Date(date);
  const months = monthsOf(duration);
  if (months !== 0) {
    shifted.setUTCDate(1);
    shifted.setUTCMonth(shifted.getUTCMonth() + sign * months);
    shifted.setUTCDate(Math.min(date.getUTCDate(), daysInMonth(shifted)));
  }
  return new Date(shifted.getTime() + sign * elapsedMs(duration));
}

const daysInMonth = (date: Date): number =>
  new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
