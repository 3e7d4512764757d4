import { durationMs } from '../duration.ts';
import { badArgument } from './query-error.ts';

/**
 * The `timespan` of a query: a duration that ends now, `start/end`, `start/duration` or `duration/end`.
 * Source: https://learn.microsoft.com/azure/azure-monitor/logs/api/request-format
 */
export function readTimespan(text: string | null | undefined, now: Date): { from?: Date; to?: Date } {
  if (text === null || text === undefined || text === '') return {};
  const parts = text.split('/');
  const [first = '', second] = parts;
  if (parts.length > 2) throw invalid(text);
  if (second === undefined) return { from: shifted(now, first, -1, text) };
  if (first.startsWith('P')) {
    const to = instant(second, text);
    return { from: shifted(to, first, -1, text), to };
  }
  const from = instant(first, text);
  return { from, to: second.startsWith('P') ? shifted(from, second, 1, text) : instant(second, text) };
}

const invalid = (text: string) =>
  badArgument({ code: 'ValidationError', message: `The timespan '${text}' is neither a duration nor start/end.` });

function instant(text: string, whole: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw invalid(whole);
  return date;
}

function shifted(from: Date, duration: string, sign: 1 | -1, whole: string): Date {
  const milliseconds = durationMs(sign < 0 ? `-${duration}` : duration, from);
  if (milliseconds === undefined) throw invalid(whole);
  return new Date(from.getTime() + milliseconds);
}
