import { compile } from '../expression.ts';
import { child, columnsOf, items, kind, type Node, nameOf } from '../parser.ts';
import {
  type Column,
  cellColumns,
  derived,
  type Getter,
  given,
  type Place,
  type Relation,
  shownOf,
  withComputed,
} from '../relation.ts';
import { overRelation, refuseIn, type Scope } from '../scope.ts';
import { keyOf, type Value } from '../value.ts';
import { placeOf } from './ranges.ts';

/** The name that an expression of `extend` gives, as the parser names it. */
const isPlain = (node: Node): boolean => kind(node) === 'NameReference';

/** Getters of expressions: plain columns as they stand, the others computed once a row. */
function computed(nodes: readonly Node[], input: Relation, scope: Scope) {
  const inside = overRelation(scope, input);
  const compiled = nodes.map((node) => {
    if (kind(node) === 'CompoundNamedExpression') return refuseIn(scope, node, 'several names for one expression');
    const target = kind(node) === 'SimpleNamedExpression' ? child(node, 'Expression') : node;
    return { ...compile(node, inside), plain: isPlain(target), origin: placeOf(target, inside) };
  });
  const heavy = compiled.filter(({ plain, constant }) => !plain && !constant);
  const made = withComputed(
    input,
    heavy.map(({ get }) => get),
  );
  const getters = compiled.map((one): Getter => {
    const index = heavy.indexOf(one);
    return index < 0 ? made.over(one.get) : (made.computed[index] as Getter);
  });
  const ingestion = input.ingestion && made.over(input.ingestion);
  const origins = compiled.map(({ origin }) => origin);
  return {
    ...{ wrap: made.wrap, over: made.over, getters, origins },
    carried: { ...(ingestion && { ingestion }), ...(made.layout && { layout: made.layout }) },
  };
}

export function project(node: Node, input: Relation, scope: Scope): Relation {
  const nodes = items(node.Expressions);
  const { wrap, getters, origins, carried } = computed(nodes, input, scope);
  const columns = columnsOf(node);
  if (columns.length !== getters.length) refuseIn(scope, node, 'this project');
  const shown = {
    columns: columns.map((one, index): Column => ({ ...one, get: getters[index] as Getter })),
    ...carried,
  };
  const places = new Map<Place, Place | undefined>(columns.map(({ name }, index) => [name, origins[index]]));
  return derived(input, shown, wrap, (place) => (typeof place === 'string' ? places.get(place) : place));
}

export function extend(node: Node, input: Relation, scope: Scope): Relation {
  const nodes = items(node.Expressions);
  const { wrap, over, getters, origins, carried } = computed(nodes, input, scope);
  const columns = columnsOf(node);
  const before = new Map(input.columns.map((one) => [one.name, one]));
  const made = new Map<string, { get: Getter; origin: Place | undefined }>();
  const fresh = columns.filter(({ name }) => !before.has(name));
  let next = 0;
  for (const [index, one] of nodes.entries()) {
    const named =
      kind(one) === 'SimpleNamedExpression' ? nameOf(child(one, 'Name')) : isPlain(one) ? nameOf(one) : undefined;
    // What has no name gets the parser's: the next of the new columns that nobody named.
    while (named === undefined && made.has(fresh[next]?.name ?? '')) next++;
    const name = named ?? fresh[next++]?.name ?? '';
    made.set(name, { get: getters[index] as Getter, origin: origins[index] });
  }
  const shown = {
    ...shownOf(input),
    columns: columns.map((one): Column => {
      const get =
        made.get(one.name)?.get ?? (before.has(one.name) ? over((before.get(one.name) as Column).get) : undefined);
      return get ? { ...one, get } : refuseIn(scope, node, `the column '${one.name}' of this extend`);
    }),
    ...carried,
  };
  return derived(input, shown, wrap, (place) => {
    const own = typeof place === 'string' ? made.get(place) : undefined;
    return own ? own.origin : place;
  });
}

/** `project-away`, `project-keep`, `project-reorder`: the parser says which columns are left, and in which order. */
export function rearrange(node: Node, input: Relation, scope: Scope): Relation {
  const columns = columnsOf(node).map(
    ({ name }) => input.columns.find((one) => one.name === name) ?? refuseIn(scope, node, `the column '${name}' here`),
  );
  return derived(input, { ...shownOf(input), columns }, (row) => row);
}

/** The parser puts renamed columns where they were, under their new names. */
export function rename(node: Node, input: Relation, scope: Scope): Relation {
  const renamed = new Map(
    items(node.Expressions).map((one) => [nameOf(child(one, 'Name')), nameOf(child(one, 'Expression'))]),
  );
  const columns = columnsOf(node).map(({ name }) => {
    const old = renamed.get(name) ?? name;
    const column = input.columns.find((one) => one.name === old);
    return column ? { ...column, name } : refuseIn(scope, node, `the column '${name}' here`);
  });
  return derived(
    input,
    { ...shownOf(input), columns },
    (row) => row,
    (place) => (typeof place === 'string' ? (renamed.get(place) ?? place) : place),
  );
}

export function distinct(node: Node, input: Relation, scope: Scope): Relation {
  const [first] = items(node.Expressions);
  const all = first !== undefined && kind(first) === 'StarExpression';
  const { columns, rows } = all ? input : project(node, input, scope);
  const seen = new Map<string, Value[]>();
  for (const row of rows()) {
    const cells = columns.map(({ get }) => get(row));
    const key = JSON.stringify(cells.map(keyOf));
    if (!seen.has(key)) seen.set(key, cells);
  }
  return { columns: cellColumns(columns), rows: given([...seen.values()]) };
}
