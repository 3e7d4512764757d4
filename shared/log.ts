import { redact } from './redact.ts';

/** Where lines go: an InvocationContext, or anything of that shape. */
export interface LogSink {
  debug(line: string): void;
  info(line: string): void;
  warn(line: string): void;
  error(line: string): void;
}

export type LogLevel = keyof LogSink;

/** Writes one event as one line of JSON. `event` is a name that queries rely on: `key.rotated`. */
export interface Log {
  debug(event: string, fields?: Record<string, unknown>): void;
  info(event: string, fields?: Record<string, unknown>): void;
  warn(event: string, fields?: Record<string, unknown>): void;
  error(event: string, fields?: Record<string, unknown>): void;
  /** The same log with these fields in every line. */
  with(fields: Record<string, unknown>): Log;
}

/** A log over `sink`. Secrets are removed from every field; a field cannot overwrite the level or the event's name. */
export function createLog(sink: LogSink, bound: Record<string, unknown> = {}): Log {
  const write =
    (level: LogLevel) =>
    (event: string, fields: Record<string, unknown> = {}) =>
      sink[level](JSON.stringify({ ...clean({ ...bound, ...fields }), level, event }));
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => createLog(sink, { ...bound, ...fields }),
  };
}

const clean = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, redact(value, name)]));
