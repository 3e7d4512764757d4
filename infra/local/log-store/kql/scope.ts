import type { Aggregate } from './aggregates.ts';
import { type Node, refuse } from './parser.ts';
import { QueryTimeout } from './refusal.ts';
import type { Column, Getter, Relation } from './relation.ts';
import type { Type } from './value.ts';

/** An expression made ready to run over rows. */
export interface Compiled {
  type: Type;
  get: Getter;
  /** Whether it reads no row. */
  constant: boolean;
}

/** What a name of a `let` stands for. */
export type Binding =
  | { kind: 'scalar'; compiled: Compiled }
  | { kind: 'tabular'; relation(): Relation }
  | { kind: 'function'; declaration: Node; scope: Scope };

/** What a query runs against. */
export interface World {
  /** The query's text, for the places of refusals. */
  text: string;
  /** Ticks of `now()`: one instant for a whole query. */
  now: number;
  table(name: string): Relation;
  /** How often the query reads a name. */
  references(name: string): number;
  /** Reads and runs a tabular expression: expressions and operators hold such ones inside. */
  relation(node: Node, scope: Scope): Relation;
  /** Throws QueryTimeout when the query has had its time. */
  checkTime(): void;
}

/** Where an expression stands: the columns it may read and the names it may use. */
export interface Scope {
  world: World;
  columns: readonly Column[];
  ingestion?: Getter | undefined;
  names: ReadonlyMap<string, Binding>;
  /** Both sides of a join, in its condition. */
  sides?: { left: readonly Column[]; right: readonly Column[] };
  /** Inside `summarize`: columns that stand in its `by` as they are. */
  groupedBy?: readonly string[];
  /** Inside `summarize`: turns a call of an aggregate into the reading of its result. */
  aggregate?: ((aggregate: Aggregate) => Getter) | undefined;
}

export const overRelation = (scope: Scope, relation: Relation): Scope => ({
  ...{ world: scope.world, names: scope.names },
  columns: relation.columns,
  ingestion: relation.ingestion,
});

export const refuseIn = (scope: Scope, node: Node, what: string): never => refuse(scope.world.text, node, what);

export function deadline(milliseconds: number): () => void {
  const until = performance.now() + milliseconds;
  return () => {
    if (performance.now() > until) throw new QueryTimeout();
  };
}
