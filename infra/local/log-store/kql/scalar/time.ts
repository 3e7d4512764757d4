import { binDatetime, dateOfTicks, formatBy, startOf, TICKS_PER_DAY, ticksOfMs } from '../time.ts';
import type { Value } from '../value.ts';
import { argument, lifted, type ScalarFunction } from './function.ts';

const dateOf = (of: (date: Date) => number): ScalarFunction => lifted((ticks: number) => of(dateOfTicks(ticks)));

/** Number, span or instant, down to a multiple of the second argument. */
const bin: ScalarFunction = (args) => {
  const [value, size] = [argument(args, 0), argument(args, 1)];
  return (row) => {
    const [one, by] = [value.get(row), size.get(row)];
    if (typeof one !== 'number' || typeof by !== 'number' || by <= 0) return null;
    return value.type === 'datetime' ? binDatetime(one, by) : Math.floor(one / by) * by;
  };
};

const edge =
  (unit: 'day' | 'week' | 'month' | 'year', end: boolean): ScalarFunction =>
  (args) => {
    const [instant, offset] = [argument(args, 0), args[1]];
    return (row) => {
      const ticks = instant.get(row);
      if (typeof ticks !== 'number') return null;
      const moved = offset ? Number(offset.get(row)) : 0;
      return end ? startOf(unit, ticks, moved + 1) - 1 : startOf(unit, ticks, moved);
    };
  };

const PARTS: Record<string, (date: Date) => number> = {
  year: (date) => date.getUTCFullYear(),
  quarter: (date) => Math.floor(date.getUTCMonth() / 3) + 1,
  month: (date) => date.getUTCMonth() + 1,
  day: (date) => date.getUTCDate(),
  dayofyear: (date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1,
  hour: (date) => date.getUTCHours(),
  minute: (date) => date.getUTCMinutes(),
  second: (date) => date.getUTCSeconds(),
  millisecond: (date) => date.getUTCMilliseconds(),
};

const SPANS: Record<string, number> = {
  ...{ week: 7 * TICKS_PER_DAY, day: TICKS_PER_DAY, hour: 3.6e10, minute: 6e8, second: 1e7, millisecond: 1e4 },
};

/** Full units between two instants, by counting the borders crossed. Source: the page of datetime_diff. */
function difference(unit: string, left: number, right: number): number | null {
  const months = (ticks: number) => dateOfTicks(ticks).getUTCFullYear() * 12 + dateOfTicks(ticks).getUTCMonth();
  if (unit === 'year') return Math.floor(months(left) / 12) - Math.floor(months(right) / 12);
  if (unit === 'quarter') return Math.floor(months(left) / 3) - Math.floor(months(right) / 3);
  if (unit === 'month') return months(left) - months(right);
  const span = SPANS[unit];
  return span === undefined ? null : Math.round((binDatetime(left, span) - binDatetime(right, span)) / span);
}

function added(unit: string, amount: number, ticks: number): number | null {
  const span = SPANS[unit];
  if (span !== undefined) return ticks + amount * span;
  const months = { year: 12, quarter: 3, month: 1 }[unit];
  if (months === undefined) return null;
  const date = dateOfTicks(ticks);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + months * amount];
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const moved = ticksOfMs(Date.UTC(year, month, Math.min(date.getUTCDate(), lastDay)));
  return moved + (ticks - startOf('day', ticks, 0));
}

const make: ScalarFunction = (args) => (row) => {
  const [year, month = 1, day = 1, hour = 0, minute = 0, second = 0] = args.map(({ get }) => get(row) as number | null);
  if ([year, month, day, hour, minute, second].some((part) => part === null || part === undefined)) return null;
  const ms = Date.UTC(year as number, (month as number) - 1, day as number, hour as number, minute as number);
  return ticksOfMs(ms) + Math.round((second as number) * 1e7);
};

export const TIME: Record<string, ScalarFunction> = {
  now: (args, { now }) => {
    const offset = args[0];
    return offset ? (row) => now + Number(offset.get(row)) : () => now;
  },
  ago: (args, { now }) => {
    const { get } = argument(args, 0);
    return (row) => {
      const span = get(row);
      return typeof span === 'number' ? now - span : null;
    };
  },
  bin,
  floor: bin,
  hourofday: dateOf((date) => date.getUTCHours()),
  dayofmonth: dateOf((date) => date.getUTCDate()),
  dayofyear: dateOf(PARTS.dayofyear as (date: Date) => number),
  monthofyear: dateOf((date) => date.getUTCMonth() + 1),
  getmonth: dateOf((date) => date.getUTCMonth() + 1),
  getyear: dateOf((date) => date.getUTCFullYear()),
  /** A span: days since the Sunday before. */
  dayofweek: dateOf((date) => date.getUTCDay() * TICKS_PER_DAY),
  datetime_part: lifted(
    (part: string, ticks: number): Value => PARTS[part.toLowerCase()]?.(dateOfTicks(ticks)) ?? null,
  ),
  datetime_diff: lifted((unit: string, left: number, right: number) => difference(unit.toLowerCase(), left, right)),
  datetime_add: lifted((unit: string, amount: number, ticks: number) => added(unit.toLowerCase(), amount, ticks)),
  make_datetime: make,
  startofday: edge('day', false),
  startofweek: edge('week', false),
  startofmonth: edge('month', false),
  startofyear: edge('year', false),
  endofday: edge('day', true),
  endofweek: edge('week', true),
  endofmonth: edge('month', true),
  endofyear: edge('year', true),
  format_datetime: (args, { refuse }) => {
    const [instant, format] = [argument(args, 0), argument(args, 1)];
    return (row) => {
      const ticks = instant.get(row);
      if (typeof ticks !== 'number') return '';
      const wanted = String(format.get(row));
      return formatBy(ticks, wanted) ?? refuse(`the format '${wanted}' of format_datetime`);
    };
  },
  unixtime_seconds_todatetime: lifted((seconds: number) => ticksOfMs(seconds * 1000)),
  unixtime_milliseconds_todatetime: lifted((milliseconds: number) => ticksOfMs(milliseconds)),
};
