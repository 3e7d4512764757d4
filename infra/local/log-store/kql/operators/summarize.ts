import { AGGREGATES, type Aggregate } from '../aggregates.ts';
import { compile } from '../expression.ts';
import { child, columnsOf, items, kind, type Node, nameOf, optional } from '../parser.ts';
import { cellColumns, eachRow, type Getter, given, type Relation } from '../relation.ts';
import { overRelation, refuseIn, type Scope } from '../scope.ts';
import { keyOf, type Value } from '../value.ts';

/** A group while it is added up; then its results stand where the states stood. */
interface Group {
  by: Value[];
  states: unknown[];
}

export function summarize(node: Node, input: Relation, scope: Scope): Relation {
  const inside = overRelation(scope, input);
  const byClause = optional(node, 'ByClause');
  const byNodes = byClause ? items(byClause.Expressions) : [];
  const by = byNodes.map((one) => compile(one, inside).get);
  const groupedBy = byNodes.filter((one) => kind(one) === 'NameReference').map(nameOf);

  const aggregates: Aggregate[] = [];
  const result = (aggregate: Aggregate): Getter => {
    const slot = aggregates.push(aggregate) - 1;
    return (group) => (group as Group).states[slot] as Value;
  };
  const results = items(node.Aggregates).flatMap((one): Getter[] => {
    const named = kind(one) === 'SimpleNamedExpression' || kind(one) === 'CompoundNamedExpression';
    const expression = named ? child(one, 'Expression') : one;
    const aggregate = kind(expression) === 'FunctionCallExpression' && AGGREGATES[nameOf(child(expression, 'Name'))];
    if (aggregate) {
      const given = items(child(expression, 'ArgumentList').Expressions);
      const within = { ...inside, groupedBy };
      const call = { node: expression, given, scope: within, compile: (arg: Node) => compile(arg, inside) };
      return aggregate(call).map(result);
    }
    return [compile(expression, { ...inside, groupedBy, aggregate: result }).get];
  });

  const columns = columnsOf(node);
  if (columns.length !== by.length + results.length) return refuseIn(scope, node, 'this summarize');
  const groups = grouped(input, by, aggregates, scope);
  // Without `by` there is one row, even of nothing.
  if (groups.length === 0 && by.length === 0) groups.push({ by: [], states: aggregates.map((one) => one.start()) });
  for (const group of groups) group.states = aggregates.map((one, slot) => one.done(group.states[slot]));
  return {
    columns: cellColumns(columns),
    rows: given(groups.map((group) => [...group.by, ...results.map((get) => get(group))])),
  };
}

/** Rows between two looks at the clock. */
const ROWS_A_LOOK = 65_536;

function grouped(input: Relation, by: readonly Getter[], aggregates: readonly Aggregate[], { world }: Scope): Group[] {
  const groups = new Map<unknown, Group>();
  const only = by.length === 1 ? by[0] : undefined;
  let seen = 0;
  eachRow(input, (row) => {
    if (++seen % ROWS_A_LOOK === 0) world.checkTime();
    const values = only ? undefined : by.map((get) => get(row));
    const single = only?.(row) ?? null;
    const key = values ? JSON.stringify(values) : keyOf(single);
    let group = groups.get(key);
    if (!group) {
      group = { by: values ?? [single], states: aggregates.map((one) => one.start()) };
      groups.set(key, group);
    }
    const { states } = group;
    for (let slot = 0; slot < aggregates.length; slot++) {
      states[slot] = (aggregates[slot] as Aggregate).add(states[slot], row);
    }
  });
  return [...groups.values()];
}
