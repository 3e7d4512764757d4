import { compile, constantValue, NO_ROW } from '../expression.ts';
import { child, columnsOf, items, type Node } from '../parser.ts';
import { QueryTimeout } from '../refusal.ts';
import { cellColumns, given, type Relation } from '../relation.ts';
import { convert } from '../scalar/conversion.ts';
import { refuseIn, type Scope } from '../scope.ts';
import { missing, type Value } from '../value.ts';

/** `print` of single values: one row. */
export function print(node: Node, scope: Scope): Relation {
  const columns = columnsOf(node);
  const values = items(node.Expressions).map((one) => compile(one, { ...scope, columns: [] }).get(NO_ROW));
  if (values.length !== columns.length) return refuseIn(scope, node, 'this print');
  return { columns: cellColumns(columns), rows: given([values]) };
}

export function dataTable(node: Node, scope: Scope): Relation {
  const columns = columnsOf(node);
  const cells = items(node.Values).map((one, index): Value => {
    const type = columns[index % columns.length]?.type ?? 'dynamic';
    const compiled = compile(one, { ...scope, columns: [] });
    return convert(compiled.get(NO_ROW), compiled.type, type) ?? missing(type);
  });
  const rows: Value[][] = [];
  for (let at = 0; at < cells.length; at += columns.length) rows.push(cells.slice(at, at + columns.length));
  return { columns: cellColumns(columns), rows: given(rows) };
}

/** More rows than this are not made: such a query runs into its time in Azure as well. */
const MAX_RANGE = 5_000_000;

export function range(node: Node, scope: Scope): Relation {
  const [from, to, step] = ['From', 'To', 'Step'].map((part) => Number(constantValue(child(node, part), scope)));
  if (from === undefined || to === undefined || !step) return refuseIn(scope, node, 'a range without a step');
  if (Math.floor((to - from) / step) > MAX_RANGE) throw new QueryTimeout();
  const rows: Value[][] = [];
  for (let value = from; step > 0 ? value <= to : value >= to; value += step) rows.push([value]);
  return { columns: cellColumns(columnsOf(node)), rows: given(rows) };
}
