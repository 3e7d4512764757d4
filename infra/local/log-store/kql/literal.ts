import { child, items, kind, type Node, textOf, typeOf } from './parser.ts';
import { parseDatetime, parseTimespan } from './time.ts';
import type { Json, Type, Value } from './value.ts';

/**
 * The value of a literal. `LiteralValue` of the parser is right for texts only: numbers and times are read from the text. An
 * instant is read from the query that is run, because the tree may be of one that differs in instants alone.
 */
export function literalValue(node: Node, query: string): Value {
  const type = typeOf(node);
  if (type === 'string' || kind(node) === 'CompoundStringLiteralExpression') return String(node.LiteralValue ?? '');
  const start = Number(node.TextStart);
  const here = type === 'datetime';
  const text = here ? query.slice(start, start + Number(node.Width)) : textOf(child(node, 'Token'));
  const inside = /^\w+\s*\(([\s\S]*)\)$/.exec(text)?.[1]?.trim() ?? text;
  if (inside === 'null' || inside === '') return null;
  return type === undefined ? null : parseAs(unquoted(inside), type);
}

const unquoted = (text: string): string => /^(["'])(.*)\1$/s.exec(text)?.[2] ?? text;

/** A text as a value of a type, as the `to…()` functions and literals read it; null when it is none. */
export function parseAs(text: string, type: Type): Value {
  const trimmed = text.trim();
  switch (type) {
    case 'string':
      return text;
    case 'bool':
      if (/^(true|1)$/i.test(trimmed)) return true;
      return /^(false|0)$/i.test(trimmed) ? false : null;
    case 'int':
    case 'long': {
      const number = parseWhole(trimmed);
      return number !== null && type === 'int' && Math.abs(number) > 2_147_483_648 ? null : number;
    }
    case 'real':
    case 'decimal': {
      if (/^[+-]?inf(inity)?$/i.test(trimmed)) return trimmed.startsWith('-') ? -Infinity : Infinity;
      const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : Number.NaN;
      return Number.isNaN(number) ? null : number;
    }
    case 'datetime':
      return parseDatetime(trimmed);
    case 'timespan':
      return parseTimespan(trimmed);
    case 'guid':
      return /^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i.test(trimmed) ? trimmed.toLowerCase() : null;
    case 'dynamic':
      return parseJson(text);
  }
}

function parseWhole(text: string): number | null {
  if (/^0x[0-9a-f]+$/i.test(text)) return Number(text);
  return /^[+-]?\d+$/.test(text) ? Number(text) : null;
}

/** As `parse_json()`: a text that is not JSON is itself. */
export function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** What `dynamic(…)` holds. */
export function jsonOf(node: Node, query: string): Json {
  switch (kind(node)) {
    case 'DynamicExpression':
      return jsonOf(child(node, 'Expression'), query);
    case 'JsonObjectExpression':
      return Object.fromEntries(
        items(node.Pairs).map((pair) => [
          unquoted(String((pair.Name as Node).ValueText ?? textOf(pair.Name))),
          jsonOf(child(pair, 'Value'), query),
        ]),
      );
    case 'JsonArrayExpression':
      return items(node.Values).map((value) => jsonOf(value, query));
    case 'PrefixUnaryExpression':
      return -(jsonOf(child(node, 'Expression'), query) as number);
    default:
      return literalValue(node, query);
  }
}
