import { Cron } from 'croner';
import { parseTimeSpan } from './settings.ts';

/** When a timer function runs. */
export interface Schedule {
  /** The first occurrence after `from`; undefined when there is none. */
  next(from: Date): Date | undefined;
}

/**
 * Reads an NCRONTAB expression of five or six fields (UTC), or a TimeSpan. Throws on anything else, including what croner
 * understands and NCRONTAB does not (`L`, `W`, `#`, `?`, `@daily`).
 */
export function parseSchedule(text: string): Schedule {
  const interval = parseTimeSpan(text);
  if (interval !== undefined) {
    if (interval <= 0) throw new Error(`Timer schedule "${text}" must be longer than nothing.`);
    return { next: (from) => new Date(from.getTime() + interval) };
  }
  const fields = text.trim().split(/\s+/);
  const foreign = /[^\d*,\-/]/.test(
    text.replace(/\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)\b|\s/gi, ''),
  );
  if ((fields.length !== 5 && fields.length !== 6) || foreign)
    throw new Error(
      `"${text}" is neither an NCRONTAB expression ({second} {minute} {hour} {day} {month} {weekday}) nor a TimeSpan.`,
    );
  // NCRONTAB asks for day of month AND day of week; croner alone would take either.
  const cron = new Cron(text, { timezone: 'UTC', domAndDow: true, paused: true });
  return { next: (from) => cron.nextRun(from) ?? undefined };
}

/** Schedules more frequent than once a minute keep no status. Source: WebJobs.Extensions TimerTriggerAttribute. */
export function isSubMinute(schedule: Schedule, from: Date): boolean {
  const first = schedule.next(from);
  const second = first && schedule.next(first);
  return first !== undefined && second !== undefined && second.getTime() - first.getTime() < 60_000;
}
