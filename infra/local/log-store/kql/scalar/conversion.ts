import { parseAs, parseJson } from '../literal.ts';
import { isNumeric, type Type, toText, type Value } from '../value.ts';
import { argument, type ScalarFunction, textAt } from './function.ts';

/** A value of one type as another, as the `to…()` functions do it; null where that cannot be. */
export function convert(value: Value, from: Type, to: Type): Value {
  if (to === 'string') return toText(value, from);
  if (value === null) return null;
  if (from === to) return value;
  if (to === 'dynamic') return from === 'string' ? parseJson(value as string) : value;
  if (typeof value === 'string') return parseAs(value, to);
  if (typeof value === 'boolean') return isNumeric(to) ? Number(value) : to === 'bool' ? value : null;
  if (typeof value !== 'number') return null;
  switch (to) {
    case 'int':
    case 'long': {
      const whole = Math.trunc(value);
      return Number.isFinite(whole) && (to === 'long' || Math.abs(whole) <= 2_147_483_648) ? whole : null;
    }
    case 'bool':
      return value !== 0;
    case 'real':
    case 'decimal':
      return value;
    case 'timespan':
      return from === 'dynamic' || isNumeric(from) ? value * 864_000_000_000 : value;
    default:
      return null;
  }
}

const to =
  (type: Type): ScalarFunction =>
  (args) => {
    const from = argument(args, 0);
    return (row) => convert(from.get(row), from.type, type);
  };

const parse: ScalarFunction = (args) => {
  const from = argument(args, 0);
  if (from.type !== 'string' && from.type !== 'dynamic') return from.get;
  return (row) => {
    const value = from.get(row);
    if (from.type === 'string') return value === '' ? null : parseJson(value as string);
    return value;
  };
};

const [toLong, toReal, toDatetime, toTimespan] = [to('long'), to('real'), to('datetime'), to('timespan')];

export const CONVERSIONS: Record<string, ScalarFunction> = {
  tostring: to('string'),
  toint: to('int'),
  tolong: toLong,
  toreal: toReal,
  todouble: toReal,
  todecimal: to('decimal'),
  tobool: to('bool'),
  toboolean: to('bool'),
  todatetime: toDatetime,
  totimespan: toTimespan,
  toguid: to('guid'),
  todynamic: parse,
  parse_json: parse,
  parsejson: parse,
  toobject: parse,
  tohex: (args) => {
    const number = argument(args, 0);
    return (row) => {
      const value = number.get(row);
      return typeof value === 'number' ? (value < 0 ? 2n ** 64n + BigInt(value) : BigInt(value)).toString(16) : '';
    };
  },
  gettype: (args) => {
    const one = argument(args, 0);
    return (row) => {
      const value = one.get(row);
      if (one.type !== 'dynamic' && value !== null) return one.type === 'real' ? 'double' : one.type;
      if (value === null) return 'null';
      if (Array.isArray(value)) return 'array';
      if (typeof value === 'number') return Number.isInteger(value) ? 'long' : 'double';
      return typeof value === 'object' ? 'dictionary' : typeof value === 'boolean' ? 'bool' : 'string';
    };
  },
  url_decode: (args) => (row) => {
    try {
      return decodeURIComponent(textAt(argument(args, 0), row).replaceAll('+', ' '));
    } catch {
      return '';
    }
  },
  url_encode: (args) => (row) => encodeURIComponent(textAt(argument(args, 0), row)),
};
