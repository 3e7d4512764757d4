import { child, columnsOf, items, kind, type Node, nameOf, parameters, referent, textOf } from '../parser.ts';
import {
  type Column,
  eachRow,
  type Frame,
  frameOf,
  type Place,
  type Range,
  type Relation,
  type Row,
  streamed,
} from '../relation.ts';
import { refuseIn, type Scope } from '../scope.ts';
import { missing } from '../value.ts';

/** Columns meet by name and type; where types differ the parser gives each its own, as `name_type`. */
export function union(node: Node, first: Relation | undefined, scope: Scope): Relation {
  const how = parameters(node);
  const fuzzy = how.has('isfuzzy') && textOf(how.get('isfuzzy')) === 'true';
  const parts: Relation[] = first ? [first] : [];
  for (const one of items(node.Expressions)) {
    if (kind(one) === 'NameReference' && /[*?]/.test(textOf(one))) return refuseIn(scope, one, 'a wildcard of tables');
    // The parser has warned of a table that is not there; without `isfuzzy` that is its error.
    if (fuzzy && isMissing(one)) continue;
    parts.push(scope.world.relation(one, scope));
  }
  // Azure resolves one of them at least, or answers with a semantic error.
  if (parts.length === 0) return refuseIn(scope, node, 'a union of tables that are not there');
  const sourceNode = how.get('withsource') ?? how.get('with_source');
  const sourceColumn = sourceNode ? nameOf(sourceNode) || textOf(sourceNode) : undefined;
  const sources = parts.map((one, index) => one.source ?? `union_arg${index}`);
  const columns = columnsOf(node).map((column): Column => {
    if (column.name === sourceColumn) return { ...column, get: (row) => sources[(row as Frame).from] ?? '' };
    const otherwise = missing(column.type);
    const getters = parts.map((part) => columnFor(column, part)?.get);
    return {
      ...column,
      get: (row) => {
        const { from, base } = row as Frame;
        return getters[from]?.(base) ?? otherwise;
      },
    };
  });
  const ingestions = parts.map((one) => one.ingestion);
  const layout = { size: 0 };
  const shown = {
    ...{ columns, layout },
    ingestion: (row: Row) => ingestions[(row as Frame).from]?.((row as Frame).base) ?? null,
  };
  const united = (of: readonly Relation[]): Relation => ({
    ...shown,
    ...streamed((visit) => {
      for (const [from, part] of of.entries()) eachRow(part, (row) => visit(frameOf(row, from, layout)));
    }),
    within: (place, range) => united(of.map((part) => narrowed(part, place, range))),
  });
  return united(parts);

  /** A leg that does not know the place keeps its rows. */
  function narrowed(part: Relation, place: Place, range: Range): Relation {
    const column = typeof place === 'string' ? columns.find(({ name }) => name === place) : undefined;
    const origin = column && column.name !== sourceColumn ? columnFor(column, part)?.name : undefined;
    const inside = typeof place === 'string' ? origin : place;
    return (inside === undefined ? undefined : part.within?.(inside, range)) ?? part;
  }
}

/** Whether a leg begins with a table that is not there: by name, or with operators after it. */
function isMissing(leg: Node): boolean {
  const of = kind(leg);
  if (of === 'NameReference') return referent(leg) === '';
  return (of === 'ParenthesizedExpression' || of === 'PipeExpression') && isMissing(child(leg, 'Expression'));
}

function columnFor({ name, type }: { name: string; type: string }, part: Relation): Column | undefined {
  const exact = part.columns.find((one) => one.name === name && one.type === type);
  return exact ?? part.columns.find((one) => one.type === type && `${one.name}_${one.type}` === name);
}
