import { formatDatetime, formatTimespan } from './time.ts';

/**
 * A cell, by the type that the parser gives its column: string (never null), bool, guid (text); int, long, real and
 * decimal as numbers, so that a long is exact up to 2^53; datetime and timespan as ticks (time.ts); dynamic as JSON.
 */
export type Value = string | number | boolean | null | Json[] | { [name: string]: Json };
export type Json = Value;

/** Names as the query API writes them. */
export type Type =
  | 'string'
  | 'bool'
  | 'int'
  | 'long'
  | 'real'
  | 'decimal'
  | 'datetime'
  | 'timespan'
  | 'guid'
  | 'dynamic';

const TYPES: readonly string[] = [
  ...['string', 'bool', 'int', 'long', 'real', 'decimal', 'datetime', 'timespan', 'guid', 'dynamic'],
];
const ALIASES: Record<string, Type> = {
  ...{ double: 'real', time: 'timespan', date: 'datetime', boolean: 'bool', uniqueid: 'guid', uuid: 'guid' },
};

/** The type of a name that the language or the published schemas use; dynamic ones may say what they hold. */
export function typeNamed(name: string): Type | undefined {
  const plain = name.startsWith('dynamic') ? 'dynamic' : (ALIASES[name] ?? name);
  return TYPES.includes(plain) ? (plain as Type) : undefined;
}

export const isNumeric = (type: Type): boolean =>
  type === 'int' || type === 'long' || type === 'real' || type === 'decimal';
export const isWhole = (type: Type): boolean => type === 'int' || type === 'long';

/** What a missing cell of a column holds: strings have no null. */
export const missing = (type: Type): Value => (type === 'string' ? '' : null);

export const isBag = (value: Value): value is { [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** As `tostring()` writes it; null becomes the empty string. */
export function toText(value: Value, type: Type): string {
  if (value === null) return '';
  switch (type) {
    case 'datetime':
      return formatDatetime(value as number, 'full');
    case 'timespan':
      return formatTimespan(value as number);
    case 'bool':
      return value ? 'True' : 'False';
    case 'dynamic':
      if (typeof value === 'string') return value;
      return JSON.stringify(value);
    default:
      return String(value);
  }
}

/** The value inside a dynamic: instants and spans become text. */
export function toDynamic(value: Value, type: Type): Json {
  if (value === null) return null;
  if (type === 'datetime') return formatDatetime(value as number, 'full');
  if (type === 'timespan') return formatTimespan(value as number);
  return value;
}

/** As the query API sends a cell: dynamic as JSON text, and a text inside a dynamic as it is. */
export function toWire(value: Value, type: Type): string | number | boolean | null {
  if (value === null) return null;
  switch (type) {
    case 'datetime':
      return formatDatetime(value as number, 'short');
    case 'timespan':
      return formatTimespan(value as number);
    case 'dynamic':
      return typeof value === 'string' ? value : JSON.stringify(value);
    case 'real':
      return Number.isFinite(value) ? (value as number) : String(value);
    case 'decimal':
      return String(value);
    default:
      return value as string | number | boolean;
  }
}

/** A key under which equal values meet, and unequal ones do not. */
export function keyOf(value: Value): string | number | boolean | null {
  return typeof value === 'object' && value !== null ? `\u0001${JSON.stringify(value)}` : value;
}

/** The order of two values of one type that are not null. */
export function compare(left: Value, right: Value): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : left > right ? 1 : 0;
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right);
  const [a, b] = [JSON.stringify(left), JSON.stringify(right)];
  return a < b ? -1 : a > b ? 1 : 0;
}
