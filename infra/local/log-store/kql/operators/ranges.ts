import { compile, NO_ROW } from '../expression.ts';
import { child, kind, type Node, nameOf, textOf } from '../parser.ts';
import { INGESTION, type Place, type Range } from '../relation.ts';
import type { Scope } from '../scope.ts';

/** The place that an expression shows as it stands, if any: a column, or the instant of ingestion. */
export function placeOf(node: Node, scope: Scope): Place | undefined {
  switch (kind(node)) {
    case 'ParenthesizedExpression':
      return placeOf(child(node, 'Expression'), scope);
    case 'NameReference':
      return scope.columns.find(({ name }) => name === nameOf(node))?.name;
    case 'FunctionCallExpression':
      return scope.ingestion && nameOf(child(node, 'Name')) === 'ingestion_time' ? INGESTION : undefined;
    default:
      return undefined;
  }
}

const FROM = Number.NEGATIVE_INFINITY;
const TO = Number.POSITIVE_INFINITY;
const BOUNDS: Record<string, (at: number) => Range> = {
  '<': (high) => ({ low: FROM, high }),
  '<=': (high) => ({ low: FROM, high }),
  '>': (low) => ({ low, high: TO }),
  '>=': (low) => ({ low, high: TO }),
  '==': (at) => ({ low: at, high: at }),
};
const MIRRORED: Record<string, string> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '==': '==' };

/**
 * The ranges of time that a condition cannot hold outside of: comparisons of an instant with one that no row changes, joined by
 * `and`. Ends count in, so whoever uses a range still asks the condition.
 */
export function rangesIn(condition: Node, scope: Scope): { place: Place; range: Range }[] {
  const of = kind(condition);
  if (of === 'ParenthesizedExpression') return rangesIn(child(condition, 'Expression'), scope);
  if (of === 'BetweenExpression') return between(condition, scope);
  if (of !== 'BinaryExpression') return [];
  const operator = textOf(child(condition, 'Operator')).toLowerCase();
  const [left, right] = [child(condition, 'Left'), child(condition, 'Right')];
  if (operator === 'and') return [...rangesIn(left, scope), ...rangesIn(right, scope)];
  return [...compared(operator, left, right, scope), ...compared(MIRRORED[operator] ?? '', right, left, scope)];
}

function compared(operator: string, one: Node, other: Node, scope: Scope) {
  const bounds = BOUNDS[operator];
  const place = bounds && placeOf(one, scope);
  const at = place === undefined ? undefined : instantOf(other, scope);
  return bounds && place !== undefined && at !== undefined ? [{ place, range: bounds(at) }] : [];
}

function between(node: Node, scope: Scope) {
  const place = placeOf(child(node, 'Left'), scope);
  if (place === undefined || textOf(child(node, 'Operator')).startsWith('!')) return [];
  const couple = child(node, 'Right');
  const [low, high] = [instantOf(child(couple, 'First'), scope), instantOf(child(couple, 'Second'), scope)];
  return low === undefined || high === undefined ? [] : [{ place, range: { low, high } }];
}

/** Ticks of an instant that no row changes. A table inside the expression is not read for it. */
function instantOf(node: Node, scope: Scope): number | undefined {
  if (/\btoscalar\b/.test(textOf(node))) return undefined;
  const { type, constant, get } = compile(node, scope);
  const value = type === 'datetime' && constant ? get(NO_ROW) : null;
  return typeof value === 'number' ? value : undefined;
}
