import type { Type, Value } from './value.ts';

/** Whatever an operator makes of a record. Only the getters of its relation's columns can read it. */
export type Row = object;
export type Getter = (row: Row) => Value;

export interface Column {
  name: string;
  type: Type;
  get: Getter;
}

/** Rows and the ways to read them. Operators share rows instead of copying them: a filter or a projection is free. */
export interface Relation {
  columns: readonly Column[];
  rows: readonly Row[];
  /** When each row became visible; absent once rows are not records of a table any more. */
  ingestion?: Getter;
  /** Name of the table, for `union withsource`. */
  source?: string;
}

/** A record that an operator made: its cells in the order of the columns. */
export type Cells = Value[];

export const cellColumns = (columns: readonly { name: string; type: Type }[]): Column[] =>
  columns.map(({ name, type }, index) => ({ name, type, get: (row) => (row as Cells)[index] as Value }));

const UNKNOWN = Symbol('not computed yet');

interface Computed {
  base: Row;
  cells: (Value | typeof UNKNOWN)[];
}

/**
 * Rows with further cells, each computed at most once and only when it is read. Without any the rows stay as they are.
 * Gives the wrapped rows and, for the old and the new getters, getters over them.
 */
export function withComputed(
  rows: readonly Row[],
  computed: readonly Getter[],
): { rows: readonly Row[]; over(get: Getter): Getter; computed: Getter[] } {
  if (computed.length === 0) return { rows, over: (get) => get, computed: [] };
  const empty = new Array<Value | typeof UNKNOWN>(computed.length).fill(UNKNOWN);
  return {
    rows: rows.map((base): Computed => ({ base, cells: empty.slice() })),
    over: (get) => (row) => get((row as Computed).base),
    computed: computed.map((get, index) => (row) => {
      const { base, cells } = row as Computed;
      const known = cells[index];
      if (known !== UNKNOWN) return known as Value;
      const value = get(base);
      cells[index] = value;
      return value;
    }),
  };
}
