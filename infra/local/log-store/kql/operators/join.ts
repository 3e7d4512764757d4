import { compile } from '../expression.ts';
import { child, columnsOf, items, kind, type Node, nameOf, parameters, textOf } from '../parser.ts';
import { type Column, type Getter, given, type Relation, type Row } from '../relation.ts';
import { overRelation, refuseIn, type Scope } from '../scope.ts';
import { missing, type Value } from '../value.ts';

interface Pair {
  left: Row | null;
  right: Row | null;
}

/** Cells that must be equal on both sides. */
interface Keys {
  left: Getter[];
  right: Getter[];
}

const KINDS = [
  'innerunique',
  'inner',
  'leftouter',
  'rightouter',
  'fullouter',
  'leftanti',
  'rightanti',
  'leftsemi',
  'rightsemi',
];

/** `join` and `lookup`. A null equals nothing, as in a comparison. */
export function join(node: Node, left: Relation, scope: Scope): Relation {
  const isLookup = kind(node) === 'LookupOperator';
  const right = scope.world.relation(child(node, 'Expression'), scope);
  const how = parameters(node).get('kind');
  const joinKind = how ? textOf(how) : isLookup ? 'leftouter' : 'innerunique';
  if (!KINDS.includes(joinKind)) return refuseIn(scope, node, `the join kind '${joinKind}'`);
  const keys = keysOf(child(node, isLookup ? 'LookupClause' : 'ConditionClause'), left, right, scope);
  const columns = columnsOf(node);

  if (/anti$|semi$/.test(joinKind)) {
    const [kept, other] = joinKind.startsWith('left') ? [left, right] : [right, left];
    const [own, others] = joinKind.startsWith('left') ? [keys.left, keys.right] : [keys.right, keys.left];
    const known = new Set(other.rows().map((row) => keyOfRow(row, others)));
    known.delete(undefined);
    const wanted = joinKind.endsWith('semi');
    const rows = kept.rows().filter((row) => known.has(keyOfRow(row, own)) === wanted);
    return { columns: kept.columns, rows: given(rows) };
  }

  const rows = given(pairs(left, right, keys, joinKind, scope));
  // A lookup leaves the keys of the right side out.
  const keyNames = isLookup ? new Set(rightKeyNames(child(node, 'LookupClause'))) : new Set<string>();
  const sources: { column: Column; side: 'left' | 'right' }[] = [
    ...left.columns.map((column) => ({ column, side: 'left' as const })),
    ...right.columns.filter(({ name }) => !keyNames.has(name)).map((column) => ({ column, side: 'right' as const })),
  ];
  if (sources.length !== columns.length) return refuseIn(scope, node, 'the columns of this join');
  return {
    rows,
    columns: columns.map((one, index): Column => {
      const { column, side } = sources[index] as (typeof sources)[number];
      const otherwise = missing(column.type);
      return {
        ...one,
        get: (row) => {
          const half = (row as Pair)[side];
          return half === null ? otherwise : column.get(half);
        },
      };
    }),
  };
}

const conditions = (clause: Node): Node[] => items(clause.Expressions);

function rightKeyNames(clause: Node): string[] {
  return conditions(clause).map((one) =>
    nameOf(kind(one) === 'NameReference' ? one : child(child(one, 'Right'), 'Selector')),
  );
}

function keysOf(clause: Node, left: Relation, right: Relation, scope: Scope): Keys {
  const keys: Keys = { left: [], right: [] };
  const sides = { left: left.columns, right: right.columns };
  const add = (node: Node): void => {
    if (kind(node) === 'ParenthesizedExpression') {
      add(child(node, 'Expression'));
      return;
    }
    if (kind(node) === 'NameReference') {
      keys.left.push(compile(node, overRelation(scope, left)).get);
      keys.right.push(compile(node, overRelation(scope, right)).get);
      return;
    }
    const operator = kind(node) === 'BinaryExpression' ? textOf(child(node, 'Operator')) : '';
    if (operator === 'and') {
      add(child(node, 'Left'));
      add(child(node, 'Right'));
      return;
    }
    if (operator !== '==') refuseIn(scope, node, 'a join condition other than equality');
    const inside: Scope = { world: scope.world, names: scope.names, columns: [], sides };
    const parts = [child(node, 'Left'), child(node, 'Right')];
    if (/^\$right\b/.test(textOf(parts[0]))) parts.reverse();
    keys.left.push(compile(parts[0] as Node, inside).get);
    keys.right.push(compile(parts[1] as Node, inside).get);
  };
  for (const one of conditions(clause)) add(one);
  return keys;
}

function keyOfRow(row: Row, keys: readonly Getter[]): string | undefined {
  const values: Value[] = [];
  for (const get of keys) {
    const value = get(row);
    if (value === null) return undefined;
    values.push(value);
  }
  return JSON.stringify(values);
}

function pairs(left: Relation, right: Relation, keys: Keys, how: string, scope: Scope): Pair[] {
  const index = new Map<string, Row[]>();
  for (const row of right.rows()) {
    const key = keyOfRow(row, keys.right);
    if (key === undefined) continue;
    const found = index.get(key);
    if (found) found.push(row);
    else index.set(key, [row]);
  }
  const keepsLeft = how === 'leftouter' || how === 'fullouter';
  const keepsRight = how === 'rightouter' || how === 'fullouter';
  const used = new Set<Row>();
  const seen = new Set<string | undefined>();
  const made: Pair[] = [];
  for (const row of left.rows()) {
    const key = keyOfRow(row, keys.left);
    if (how === 'innerunique' && key !== undefined) {
      if (seen.has(key)) continue;
      seen.add(key);
    }
    const partners = key === undefined ? undefined : index.get(key);
    for (const partner of partners ?? []) {
      made.push({ left: row, right: partner });
      if (keepsRight) used.add(partner);
      if (made.length % 65_536 === 0) scope.world.checkTime();
    }
    if (!partners && keepsLeft) made.push({ left: row, right: null });
  }
  if (keepsRight) for (const row of right.rows()) if (!used.has(row)) made.push({ left: null, right: row });
  return made;
}
