const FORM = /^([+-])?P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/**
 * Milliseconds of an ISO 8601 duration, signed if it begins with `-`. Years and months are counted on the calendar from
 * `from`, in UTC. Undefined when the text is no duration.
 */
export function durationMs(text: string, from: Date): number | undefined {
  const match = FORM.exec(text);
  if (!match || /[PT]$/.test(text)) return undefined;
  const [years, months, weeks, days, hours, minutes, seconds] = match.slice(2).map((part) => Number(part ?? 0));
  const sign = match[1] === '-' ? -1 : 1;
  const calendar = new Date(from);
  calendar.setUTCMonth(calendar.getUTCMonth() + sign * (12 * (years ?? 0) + (months ?? 0)));
  const wholeHours = (7 * (weeks ?? 0) + (days ?? 0)) * 24 + (hours ?? 0);
  const rest = ((wholeHours * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000;
  return calendar.getTime() - from.getTime() + sign * rest;
}
