import type { Type, Value } from './value.ts';

/** Whatever an operator makes of a record. Only the getters of its relation's columns can read it. */
export type Row = object;
export type Getter = (row: Row) => Value;

export interface Column {
  name: string;
  type: Type;
  get: Getter;
}

/** What a range may be put on: a column by its name, or the instant at which a row became visible. */
export type Place = string | typeof INGESTION;
export const INGESTION = { ingestion: true } as const;

/** Ticks, both ends included. */
export interface Range {
  low: number;
  high: number;
}

/** Rows and the ways to read them. Operators share rows instead of copying them: a filter or a projection is free. */
export interface Relation {
  columns: readonly Column[];
  /** Made when they are first asked for. */
  rows(): readonly Row[];
  /** When each row became visible; absent once rows are not records of a table any more. */
  ingestion?: Getter;
  /** Name of the table, for `union withsource`. */
  source?: string;
  /**
   * The relation over fewer rows of the tables beneath it: none is left out that lies in the range, others may stay. Undefined
   * where the place is not one that a table keeps its rows by.
   */
  within?(place: Place, range: Range): Relation | undefined;
}

/** Rows that are there already. */
export const given = (rows: readonly Row[]) => (): readonly Row[] => rows;

/** Computed at the first call. */
export function once<T extends object>(make: () => T): () => T {
  let known: T | undefined;
  return () => {
    known ??= make();
    return known;
  };
}

/**
 * A relation whose rows are made from those of another, each from one. `originOf` says which place of the other a place shows
 * as it stands, if any: a range on it is then put on the other, before rows are made.
 */
export function derived(
  input: Relation,
  shown: Pick<Relation, 'columns' | 'ingestion' | 'source'>,
  make: (rows: readonly Row[]) => readonly Row[],
  originOf: (place: Place) => Place | undefined = (place) => place,
): Relation {
  return {
    ...shown,
    rows: once(() => make(input.rows())),
    within(place, range) {
      const origin = originOf(place);
      const fewer = origin === undefined ? undefined : input.within?.(origin, range);
      return fewer && derived(fewer, shown, make, originOf);
    },
  };
}

/** What of a relation stays when its rows are others. */
export const shownOf = ({
  columns,
  ingestion,
  source,
}: Relation): Pick<Relation, 'columns' | 'ingestion' | 'source'> => ({
  columns,
  ...(ingestion === undefined ? {} : { ingestion }),
  ...(source === undefined ? {} : { source }),
});

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
 * Gives what wraps rows and, for the old and the new getters, getters over the wrapped ones.
 */
export function withComputed(computed: readonly Getter[]): {
  wrap(rows: readonly Row[]): readonly Row[];
  over(get: Getter): Getter;
  computed: Getter[];
} {
  if (computed.length === 0) return { wrap: (rows) => rows, over: (get) => get, computed: [] };
  const empty = new Array<Value | typeof UNKNOWN>(computed.length).fill(UNKNOWN);
  return {
    wrap: (rows) => rows.map((base): Computed => ({ base, cells: empty.slice() })),
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
