import { compile, constantValue } from '../expression.ts';
import { child, columnsOf, items, kind, type Node, nameOf, optional, parameters, textOf } from '../parser.ts';
import { type Column, given, type Relation, type Row } from '../relation.ts';
import { convert } from '../scalar/conversion.ts';
import { overRelation, refuseIn, type Scope } from '../scope.ts';
import { isBag, type Json, missing, type Value } from '../value.ts';

interface Expanded {
  base: Row;
  cells: Value[];
  index: number;
}

/**
 * A row for each element; the lists of one row side by side, the shorter filled with nulls. A null makes one row, an empty
 * list none. Source: https://learn.microsoft.com/kusto/query/mv-expand-operator
 */
export function mvExpand(node: Node, input: Relation, scope: Scope): Relation {
  const how = parameters(node);
  const bags = how.get('kind') ?? how.get('bagexpansion');
  if (bags && textOf(bags) !== 'bag' && textOf(bags) !== 'array') refuseIn(scope, bags, 'this kind of mv-expand');
  const asArray = bags !== undefined && textOf(bags) === 'array';
  const indexNode = how.get('with_itemindex');
  const indexName = indexNode ? nameOf(indexNode) || textOf(indexNode) : undefined;
  const limitClause = optional(node, 'RowLimitClause');
  const limit = limitClause ? Number(constantValue(child(limitClause, 'RowLimit'), scope)) : Number.POSITIVE_INFINITY;

  const inside = overRelation(scope, input);
  const columns = columnsOf(node);
  const known = new Set(input.columns.map(({ name }) => name));
  const fresh = columns.filter(({ name }) => !known.has(name) && name !== indexName);
  const expanded = items(node.Expressions).map((one) => {
    const expression = child(one, 'Expression');
    const compiled = compile(expression, inside);
    if (compiled.type !== 'dynamic') refuseIn(scope, expression, `mv-expand of a ${compiled.type}`);
    if (kind(expression) === 'NameReference') return { name: nameOf(expression), get: compiled.get };
    const named = kind(expression) === 'SimpleNamedExpression' ? nameOf(child(expression, 'Name')) : undefined;
    // What has no name gets the parser's: the next of the new columns.
    if (named === undefined || fresh[0]?.name === named) return { name: fresh.shift()?.name, get: compiled.get };
    return { name: named, get: compiled.get };
  });
  const types = expanded.map(({ name }) => columns.find((one) => one.name === name)?.type ?? 'dynamic');

  const rows: Expanded[] = [];
  for (const base of input.rows()) {
    const lists = expanded.map(({ get }) => elements(get(base), asArray));
    const most = Math.min(limit, Math.max(...lists.map(({ length }) => length)));
    for (let index = 0; index < most; index++) {
      const cells = lists.map((list, at) => {
        const type = types[at] ?? 'dynamic';
        const value = list[index] ?? null;
        return type === 'dynamic' ? value : (convert(value, 'dynamic', type) ?? missing(type));
      });
      rows.push({ base, cells, index });
    }
    if (rows.length % 4096 === 0) scope.world.checkTime();
  }
  const getters = new Map(input.columns.map(({ name, get }) => [name, get]));
  return {
    rows: given(rows),
    columns: columns.map((one): Column => {
      if (one.name === indexName) return { ...one, get: (row) => (row as Expanded).index };
      const at = expanded.findIndex(({ name }) => name === one.name);
      if (at >= 0) return { ...one, get: (row) => (row as Expanded).cells[at] ?? missing(one.type) };
      const get = getters.get(one.name);
      if (!get) return refuseIn(scope, node, `the column '${one.name}' of this mv-expand`);
      return { ...one, get: (row) => get((row as Expanded).base) };
    }),
  };
}

function elements(value: Value, asArray: boolean): Json[] {
  if (value === null) return [null];
  if (Array.isArray(value)) return value;
  if (!isBag(value)) return [value];
  const entries = Object.entries(value);
  return asArray ? entries.map(([name, one]) => [name, one]) : entries.map(([name, one]) => ({ [name]: one }));
}
