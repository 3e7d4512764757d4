const DAY_MS = 86_400_000;
/** A leap day that falls on one weekday comes back within 40 years, the turn of a century in between. */
const FARTHEST_DAYS = 366 * 41;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/**
 * When a timer of that NCRONTAB schedule (six fields, seconds first, UTC) runs next after an instant; undefined when it never
 * does, or the text is none. Day of month and weekday must both hold, as the timer trigger reads them.
 * https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
 */
export function nextOccurrence(schedule: string, after: Date): Date | undefined {
  const texts = schedule.trim().split(/\s+/);
  const [seconds, minutes, hours, days, months, weekdays] = [
    values(texts[0], 0, 59),
    values(texts[1], 0, 59),
    values(texts[2], 0, 23),
    values(texts[3], 1, 31),
    values(texts[4], 1, 12, MONTHS, 1),
    values(texts[5], 0, 6, WEEKDAYS, 0),
  ];
  if (texts.length !== 6 || !seconds || !minutes || !hours || !days || !months || !weekdays) return undefined;
  const start = Math.floor(after.getTime() / 1000) * 1000 + 1000;
  const midnight = start - (start % DAY_MS);
  for (let day = 0; day <= FARTHEST_DAYS; day++) {
    const date = new Date(midnight + day * DAY_MS);
    if (!months.has(date.getUTCMonth() + 1) || !days.has(date.getUTCDate()) || !weekdays.has(date.getUTCDay()))
      continue;
    const time = firstTime(hours, minutes, seconds, day === 0 ? (start % DAY_MS) / 1000 : 0);
    if (time !== undefined) return new Date(date.getTime() + time * 1000);
  }
  return undefined;
}

/** The first second of a day, from `least` on, that all three sets allow. */
function firstTime(
  hours: ReadonlySet<number>,
  minutes: ReadonlySet<number>,
  seconds: ReadonlySet<number>,
  least: number,
): number | undefined {
  for (const hour of hours) {
    if (hour * 3600 + 3599 < least) continue;
    for (const minute of minutes) {
      if (hour * 3600 + minute * 60 + 59 < least) continue;
      for (const second of seconds) {
        const time = hour * 3600 + minute * 60 + second;
        if (time >= least) return time;
      }
    }
  }
  return undefined;
}

/** Members of one field in ascending order; undefined when it cannot be read. */
function values(
  field: string | undefined,
  least: number,
  most: number,
  names: readonly string[] = [],
  offset = 0,
): ReadonlySet<number> | undefined {
  const found = new Set<number>();
  const read = (text: string): number => {
    const named = names.indexOf(text.toLowerCase());
    return named >= 0 ? named + offset : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  };
  for (const part of (field ?? '').split(',')) {
    const [range = '', step = '1', ...rest] = part.split('/');
    const [from = '', to, ...more] = range.split('-');
    const first = range === '*' ? least : read(from);
    const last = range === '*' || (part.includes('/') && to === undefined) ? most : to === undefined ? first : read(to);
    const by = /^\d+$/.test(step) ? Number(step) : 0;
    if (rest.length > 0 || more.length > 0 || by < 1 || !(first >= least && last <= most && first <= last)) {
      return undefined;
    }
    for (let value = first; value <= last; value += by) found.add(value);
  }
  return new Set([...found].sort((a, b) => a - b));
}
