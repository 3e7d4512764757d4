import { child, type Node, textOf } from './parser.ts';
import type { Row } from './relation.ts';
import { type Compiled, refuseIn, type Scope } from './scope.ts';
import { hasTerm, textMatch } from './text-match.ts';
import { compare, isNumeric, isWhole, type Type, toDynamic, toText, type Value } from './value.ts';

type Operation = (left: Value, right: Value) => Value;

/**
 * Nulls: `==` and `!=` of two nulls are null, of a null and a value they are false and true; everything else with a null is
 * null. Source: https://learn.microsoft.com/kusto/query/scalar-data-types/null-values
 */
const EQUALITY: Record<string, Operation> = {
  '==': (left, right) => (left === null ? (right === null ? null : false) : right !== null && same(left, right)),
  '!=': (left, right) => (left === null ? (right === null ? null : true) : right === null || !same(left, right)),
  '<>': (left, right) => (left === null ? (right === null ? null : true) : right === null || !same(left, right)),
};
const ORDER: Record<string, (order: number) => boolean> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

export const same = (left: Value, right: Value): boolean =>
  left === right ||
  (typeof left === 'object' && typeof right === 'object' && JSON.stringify(left) === JSON.stringify(right));

/** Both sides as values that can be compared: what is compared with a dynamic becomes what a dynamic would hold. */
function comparable(left: Compiled, right: Compiled): (value: Value, type: Type) => Value {
  return left.type === 'dynamic' || right.type === 'dynamic' ? toDynamic : (value) => value;
}

export function compileBinary(node: Node, scope: Scope, compile: (node: Node, scope: Scope) => Compiled): Compiled {
  const operator = textOf(child(node, 'Operator')).toLowerCase();
  const [left, right] = [compile(child(node, 'Left'), scope), compile(child(node, 'Right'), scope)];
  const constant = left.constant && right.constant;
  const made = (type: Type, get: (row: Row) => Value): Compiled => ({ type, get, constant });

  if (operator === 'and') {
    return made('bool', (row) => {
      const first = left.get(row);
      if (first === false) return false;
      const second = right.get(row);
      return second === false ? false : first === null || second === null ? null : true;
    });
  }
  if (operator === 'or') {
    return made('bool', (row) => {
      const first = left.get(row);
      if (first === true) return true;
      const second = right.get(row);
      return second === true ? true : first === null || second === null ? null : false;
    });
  }

  const equality = EQUALITY[operator];
  if (equality) {
    const as = comparable(left, right);
    return made('bool', (row) => equality(as(left.get(row), left.type), as(right.get(row), right.type)));
  }
  const order = ORDER[operator];
  if (order) {
    const as = comparable(left, right);
    return made('bool', (row) => {
      const [first, second] = [as(left.get(row), left.type), as(right.get(row), right.type)];
      if (first === null || second === null || typeof first !== typeof second) return null;
      return order(compare(first, second));
    });
  }

  if (operator === 'matches regex') return made('bool', regexTest(left, right));
  const match = textMatch(operator);
  if (match) {
    return made('bool', (row) => match(toText(left.get(row), left.type), toText(right.get(row), right.type)));
  }

  const arithmetic = arithmeticOf(operator, left.type, right.type);
  if (!arithmetic) return refuseIn(scope, node, `the operator '${operator}' of ${left.type} and ${right.type}`);
  return made(arithmetic.type, (row) => {
    const [first, second] = [numberIn(left, row), numberIn(right, row)];
    return first === null || second === null ? null : arithmetic.of(first, second);
  });
}

const numberIn = ({ get, type }: Compiled, row: Row): number | null => {
  const value = get(row);
  if (type === 'dynamic' && typeof value !== 'number') return null;
  return value as number | null;
};

function arithmeticOf(
  operator: string,
  left: Type,
  right: Type,
): { type: Type; of(left: number, right: number): number | null } | undefined {
  const type = arithmeticType(operator, left, right);
  if (!type) return undefined;
  // Dividing spans counts them, so the type of the operands decides, not that of the result.
  const whole = (isWhole(left) || left === 'timespan') && (isWhole(right) || right === 'timespan') && type !== 'real';
  const finish = whole || type === 'timespan' || type === 'datetime' ? Math.trunc : (value: number) => value;
  switch (operator) {
    case '+':
      return { type, of: (a, b) => a + b };
    case '-':
      return { type, of: (a, b) => a - b };
    case '*':
      return { type, of: (a, b) => finish(a * b) };
    case '/':
      return { type, of: (a, b) => (b === 0 && whole ? null : finish(a / b)) };
    case '%':
      return { type, of: (a, b) => (b === 0 ? null : ((a % b) + Math.abs(b)) % Math.abs(b)) };
    default:
      return undefined;
  }
}

function arithmeticType(operator: string, left: Type, right: Type): Type | undefined {
  const number = (type: Type) => isNumeric(type) || type === 'dynamic';
  if (number(left) && number(right)) {
    if (left === 'real' || right === 'real' || left === 'decimal' || right === 'decimal') return 'real';
    return left === 'int' && right === 'int' ? 'int' : left === 'dynamic' || right === 'dynamic' ? 'real' : 'long';
  }
  const pair = `${left} ${operator} ${right}`;
  if (/^datetime [+-] timespan$/.test(pair) || pair === 'timespan + datetime') return 'datetime';
  if (pair === 'datetime - datetime' || /^timespan [+%-] timespan$/.test(pair)) return 'timespan';
  if (pair === 'timespan / timespan') return 'real';
  if (left === 'timespan' && number(right) && /[*/]/.test(operator)) return 'timespan';
  return number(left) && right === 'timespan' && operator === '*' ? 'timespan' : undefined;
}

/** The language's regular expressions are RE2's, which Node's engine reads but for inline flags. */
export function regexOf(pattern: string): RegExp | null {
  const flags = /^\(\?([ims]+)\)/.exec(pattern);
  try {
    return new RegExp(flags ? pattern.slice(flags[0].length) : pattern, `u${flags?.[1] ?? ''}`);
  } catch {
    try {
      return new RegExp(pattern);
    } catch {
      return null;
    }
  }
}

function regexTest(left: Compiled, right: Compiled): (row: Row) => Value {
  const known = new Map<string, RegExp | null>();
  return (row) => {
    const pattern = toText(right.get(row), right.type);
    let regex = known.get(pattern);
    if (regex === undefined) {
      regex = regexOf(pattern);
      known.set(pattern, regex);
    }
    return regex?.test(toText(left.get(row), left.type)) ?? null;
  };
}

/** `in`, `has_any` and their kin, over a list of values that are known before the rows are read. */
export function memberTest(
  operator: string,
  values: readonly { value: Value; type: Type }[],
): (one: Value, type: Type) => Value {
  const name = operator.replace(/^!/, '');
  const deny = operator.startsWith('!');
  if (name === 'has_any' || name === 'has_all') {
    const terms = values.map(({ value, type }) => toText(value, type).toLowerCase());
    return (one, type) => {
      const text = toText(one, type).toLowerCase();
      return name === 'has_any'
        ? terms.some((term) => hasTerm(text, term))
        : terms.every((term) => hasTerm(text, term));
    };
  }
  const fold = name.endsWith('~');
  const key = (value: Value, type: Type): string => {
    const plain = toDynamic(value, type);
    return typeof plain === 'string' ? `s${fold ? plain.toLowerCase() : plain}` : JSON.stringify(plain);
  };
  const known = new Set(values.map(({ value, type }) => key(value, type)));
  return (one, type) => known.has(key(one, type)) !== deny;
}
