/** What may be said to a query: names, counts, spans and instants of our own, never anything that a log row holds. */
export type KqlValue = string | number | Date | { seconds: number } | ReadonlyMap<string, Date>;

/**
 * A value as a literal of its type; the only way for one to enter a query. Quotes, backslashes and everything that is not a
 * visible ASCII character are escaped, so that no text can end its literal.
 * https://learn.microsoft.com/kusto/query/scalar-data-types/string
 */
export function literal(value: KqlValue): string {
  if (typeof value === 'string') return `"${value.replaceAll(SPECIAL, escaped)}"`;
  if (value instanceof Date) return `datetime(${instant(value)})`;
  // https://learn.microsoft.com/kusto/query/scalar-data-types/dynamic#dynamic-literals: JSON, whose texts are escaped alike.
  if (value instanceof Map) {
    const members = [...value].map(([name, at]) => `${literal(name)}: "${instant(at)}"`);
    return `dynamic({${members.join(', ')}})`;
  }
  if (typeof value === 'object' && 'seconds' in value) {
    if (!Number.isSafeInteger(value.seconds) || value.seconds < 1)
      throw new RangeError('a span is one second at least');
    return `time(${value.seconds}s)`;
  }
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} cannot enter a query: it is no whole number`);
  return `long(${value})`;
}

function instant(value: Date): string {
  if (Number.isNaN(value.getTime())) throw new RangeError('an instant that does not exist cannot enter a query');
  return value.toISOString();
}

const SPECIAL = /["\\]|[^\x20-\x7e]/g;

const escaped = (unit: string): string =>
  unit === '"' || unit === '\\' ? `\\${unit}` : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
