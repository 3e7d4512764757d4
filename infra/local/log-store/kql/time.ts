/**
 * Instants are 100 ns ticks since 2020, spans are 100 ns ticks: whole numbers that a double holds exactly from 1991 to 2048
 * to the tick, and for centuries to the millisecond.
 */
export const TICKS_PER_MS = 10_000;
export const TICKS_PER_DAY = 864_000_000_000;
const EPOCH_MS = Date.UTC(2020, 0, 1);
/** Ticks from the year 1, from which bins are counted, to 2020. */
const TICKS_BEFORE_EPOCH = (BigInt(EPOCH_MS) - BigInt(Date.parse('0001-01-01T00:00:00Z'))) * 10_000n;

export const ticksOfMs = (ms: number): number => (ms - EPOCH_MS) * TICKS_PER_MS;
export const ticksOfDate = (date: Date): number => ticksOfMs(date.getTime());
export const dateOfTicks = (ticks: number): Date => new Date(EPOCH_MS + Math.floor(ticks / TICKS_PER_MS));

const INSTANT =
  /^\s*(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]\d{2}:?\d{2})?\s*$/i;

/** An ISO 8601 instant, or a day; null for any other text. Without an offset it is UTC. */
export function parseDatetime(text: string): number | null {
  const found = INSTANT.exec(text);
  if (!found) return null;
  const [, year, month, day, hour, minute, second, fraction = '', zone] = found;
  const part = (value: string | undefined, low: number, high: number, otherwise: number) => {
    const number = value === undefined ? otherwise : Number(value);
    return number >= low && number <= high ? number : Number.NaN;
  };
  const [y, m, d] = [Number(year), part(month, 1, 12, 1), part(day, 1, 31, 1)];
  const ms = Date.UTC(y, m - 1, d, part(hour, 0, 23, 0), part(minute, 0, 59, 0), part(second, 0, 59, 0));
  if (Number.isNaN(ms) || new Date(Date.UTC(y, m - 1, d)).getUTCDate() !== d) return null;
  const fractionTicks = Number(fraction.padEnd(7, '0').slice(0, 7));
  const offset = /^([+-])(\d{2}):?(\d{2})$/.exec(zone ?? '');
  const offsetMinutes = offset ? (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3])) : 0;
  return ticksOfMs(ms - offsetMinutes * 60_000) + fractionTicks;
}

/** `full`: always seven digits of the second, as `tostring()`; `short`: as few as it takes, as the query API. */
export function formatDatetime(ticks: number, form: 'full' | 'short'): string {
  const whole = Math.floor(ticks / 1e7) * 1e7;
  const seconds = dateOfTicks(whole).toISOString().slice(0, 19);
  const fraction = String(Math.round(ticks - whole)).padStart(7, '0');
  if (form === 'full') return `${seconds}.${fraction}Z`;
  const digits = fraction.replace(/0+$/, '');
  return digits === '' ? `${seconds}Z` : `${seconds}.${digits}Z`;
}

const UNITS: Record<string, number> = {
  ...{ tick: 1, ticks: 1, microsecond: 10, microseconds: 10, ms: 10_000, milli: 10_000, millisecond: 10_000 },
  ...{ milliseconds: 10_000, millis: 10_000, s: 1e7, sec: 1e7, second: 1e7, seconds: 1e7, m: 6e8, min: 6e8 },
  ...{ minute: 6e8, minutes: 6e8, h: 3.6e10, hr: 3.6e10, hrs: 3.6e10, hour: 3.6e10, hours: 3.6e10 },
  ...{ d: TICKS_PER_DAY, day: TICKS_PER_DAY, days: TICKS_PER_DAY },
};
const CLOCK = /^(-)?(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?$/;

/** `1h`, `-1.02:03:04.5`, or a number of days; null for any other text. */
export function parseTimespan(text: string): number | null {
  const trimmed = text.trim();
  const unit = /^(-?\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(trimmed);
  if (unit) {
    const ticks = UNITS[(unit[2] ?? '').toLowerCase()];
    return ticks === undefined ? null : Math.round(Number(unit[1]) * ticks);
  }
  if (/^-?\d+$/.test(trimmed)) return Number(trimmed) * TICKS_PER_DAY;
  const found = CLOCK.exec(trimmed);
  if (!found) return null;
  const [, sign, days = '0', hours, minutes, seconds = '0', fraction = ''] = found;
  const ticks =
    Number(days) * TICKS_PER_DAY +
    Number(hours) * 3.6e10 +
    Number(minutes) * 6e8 +
    Number(seconds) * 1e7 +
    Number(fraction.padEnd(7, '0'));
  return sign ? -ticks : ticks;
}

/** `1.02:03:04.5000000`; days and fraction only where there are any. */
export function formatTimespan(ticks: number): string {
  const size = Math.abs(Math.round(ticks));
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const days = Math.floor(size / TICKS_PER_DAY);
  const fraction = size % 1e7;
  const clock = `${two((size % TICKS_PER_DAY) / 3.6e10)}:${two((size % 3.6e10) / 6e8)}:${two((size % 6e8) / 1e7)}`;
  const tail = fraction === 0 ? '' : `.${String(fraction).padStart(7, '0')}`;
  return `${ticks < 0 ? '-' : ''}${days > 0 ? `${days}.` : ''}${clock}${tail}`;
}

/** The start of the bin that an instant lies in. Bins are counted from the year 1. */
export function binDatetime(ticks: number, span: number): number {
  const shift = Number(TICKS_BEFORE_EPOCH % BigInt(span));
  const rest = (((ticks % span) + shift) % span) + span;
  return ticks - (rest % span);
}

/** The instant, as a JavaScript date moved to the start of its week (Sunday), month or year, and by `offset` of them. */
export function startOf(unit: 'day' | 'week' | 'month' | 'year', ticks: number, offset: number): number {
  const date = dateOfTicks(ticks);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  if (unit === 'year') return ticksOfMs(Date.UTC(year + offset, 0, 1));
  if (unit === 'month') return ticksOfMs(Date.UTC(year, month + offset, 1));
  if (unit === 'week') return ticksOfMs(Date.UTC(year, month, day - date.getUTCDay() + 7 * offset));
  return ticksOfMs(Date.UTC(year, month, day + offset));
}

/** Custom formats of `format_datetime`: letters of the year, month, day, hour, minute, second, fraction and AM/PM. */
export function formatBy(ticks: number, format: string): string | null {
  const date = dateOfTicks(ticks);
  const [iso, hour] = [date.toISOString(), date.getUTCHours()];
  const fraction = formatDatetime(ticks, 'full').slice(20, 27);
  const two = (value: number) => String(value).padStart(2, '0');
  let known = true;
  const text = format.replace(/([a-zA-Z])\1*/g, (letters) => {
    const long = letters.length > 1;
    switch (letters[0]) {
      case 'y':
        return letters.length > 2 ? iso.slice(0, 4) : iso.slice(2, 4);
      case 'M':
        return long ? iso.slice(5, 7) : String(date.getUTCMonth() + 1);
      case 'd':
        return long ? iso.slice(8, 10) : String(date.getUTCDate());
      case 'H':
        return long ? two(hour) : String(hour);
      case 'h':
        return long ? two(hour % 12 || 12) : String(hour % 12 || 12);
      case 'm':
        return long ? iso.slice(14, 16) : String(date.getUTCMinutes());
      case 's':
        return long ? iso.slice(17, 19) : String(date.getUTCSeconds());
      case 'f':
        return fraction.slice(0, letters.length);
      case 'F':
        return fraction.slice(0, letters.length).replace(/0+$/, '');
      case 't':
        return hour < 12 ? 'AM' : 'PM';
      default:
        known = false;
        return letters;
    }
  });
  return known ? text : null;
}
