import { compile, constantValue } from '../expression.ts';
import { child, columnsOf, items, kind, type Node, optional, textOf } from '../parser.ts';
import { cellColumns, derived, type Getter, given, type Relation, type Row, shownOf } from '../relation.ts';
import { overRelation, type Scope } from '../scope.ts';
import { compare } from '../value.ts';
import { rangesIn } from './ranges.ts';

export function filter(node: Node, input: Relation, scope: Scope): Relation {
  const condition = child(node, 'Condition');
  const inside = overRelation(scope, input);
  const { get } = compile(condition, inside);
  // Rows that a range leaves out are not even made; the others are still asked all of the condition.
  let narrowed = input;
  for (const { place, range } of rangesIn(condition, inside)) narrowed = narrowed.within?.(place, range) ?? narrowed;
  return derived(narrowed, shownOf(input), (row) => (get(row) === true ? row : undefined));
}

export function take(node: Node, input: Relation, scope: Scope): Relation {
  const most = Math.max(0, Number(constantValue(child(node, 'Expression'), scope)));
  return { ...shownOf(input), rows: given(input.rows().slice(0, most)) };
}

export function count(node: Node, input: Relation): Relation {
  return { columns: cellColumns(columnsOf(node)), rows: given([[input.rows().length]]) };
}

interface Order {
  get: Getter;
  sign: 1 | -1;
  nullsFirst: boolean;
}

/** Descending unless said otherwise; nulls stand first when ascending and last when descending. */
function orderOf(node: Node, scope: Scope): Order {
  const ordering = kind(node) === 'OrderedExpression' ? optional(node, 'Ordering') : undefined;
  const direction = ordering && optional(ordering, 'AscOrDescKeyword');
  const nulls = ordering && optional(ordering, 'NullsClause');
  const ascending = direction !== undefined && textOf(direction) === 'asc';
  const nullsFirst = nulls ? textOf(child(nulls, 'FirstOrLastKeyword')) === 'first' : ascending;
  return { get: compile(node, scope).get, sign: ascending ? 1 : -1, nullsFirst };
}

function sorted(rows: readonly Row[], orders: readonly Order[]): Row[] {
  const keyed = rows.map((row) => ({ row, keys: orders.map(({ get }) => get(row)) }));
  keyed.sort((left, right) => {
    for (const [index, { sign, nullsFirst }] of orders.entries()) {
      const [a, b] = [left.keys[index] ?? null, right.keys[index] ?? null];
      if (a === null && b === null) continue;
      if (a === null || b === null) return (a === null) === nullsFirst ? -1 : 1;
      const order = compare(a, b);
      if (order !== 0) return order * sign;
    }
    return 0;
  });
  return keyed.map(({ row }) => row);
}

export function sort(node: Node, input: Relation, scope: Scope): Relation {
  const inside = overRelation(scope, input);
  const orders = items(node.Expressions).map((one) => orderOf(one, inside));
  return { ...shownOf(input), rows: given(sorted(input.rows(), orders)) };
}

export function top(node: Node, input: Relation, scope: Scope): Relation {
  const most = Math.max(0, Number(constantValue(child(node, 'Expression'), scope)));
  const order = orderOf(child(node, 'ByExpression'), overRelation(scope, input));
  return { ...shownOf(input), rows: given(sorted(input.rows(), [order]).slice(0, most)) };
}
