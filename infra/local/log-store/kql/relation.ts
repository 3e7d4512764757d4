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
  /** Hands out row by row, keeping none, where rows are made of others; without it there are `rows`. */
  each?(visit: (row: Row) => void): void;
  /** When each row became visible; absent once rows are not records of a table any more. */
  ingestion?: Getter;
  /** Name of the table, for `union withsource`. */
  source?: string;
  /** Of rows that are frames. */
  layout?: Layout;
  /**
   * The relation over fewer rows of the tables beneath it: none is left out that lies in the range, others may stay. Undefined
   * where the place is not one that a table keeps its rows by.
   */
  within?(place: Place, range: Range): Relation | undefined;
}

export type Shown = Omit<Relation, 'rows' | 'each' | 'within'>;

export function eachRow(relation: Relation, visit: (row: Row) => void): void {
  if (relation.each) relation.each(visit);
  else for (const row of relation.rows()) visit(row);
}

/** Rows that are made one by one, and made again for whoever asks next, unless they were once asked for together. */
export function streamed(make: (visit: (row: Row) => void) => void): Required<Pick<Relation, 'rows' | 'each'>> {
  let known: Row[] | undefined;
  return {
    rows() {
      if (known) return known;
      const rows: Row[] = [];
      make((row) => void rows.push(row));
      known = rows;
      return rows;
    },
    each(visit) {
      if (known) for (const row of known) visit(row);
      else make(visit);
    },
  };
}

/** A relation that several read: its rows, and what is computed of them, are made once for all. */
export const shared = (relation: Relation): Relation => ({
  ...shownOf(relation),
  rows: () => relation.rows(),
  within(place, range) {
    const fewer = relation.within?.(place, range);
    return fewer && shared(fewer);
  },
});

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
 * A relation whose rows are made from those of another, each from one; undefined leaves it out. `originOf` says which place of
 * the other a place shows as it stands, if any: a range on it is then put on the other, before rows are made.
 */
export function derived(
  input: Relation,
  shown: Shown,
  make: (row: Row) => Row | undefined,
  originOf: (place: Place) => Place | undefined = (place) => place,
): Relation {
  return {
    ...shown,
    ...streamed((visit) =>
      eachRow(input, (row) => {
        const made = make(row);
        if (made !== undefined) visit(made);
      }),
    ),
    within(place, range) {
      const origin = originOf(place);
      const fewer = origin === undefined ? undefined : input.within?.(origin, range);
      return fewer && derived(fewer, shown, make, originOf);
    },
  };
}

/** What of a relation stays when its rows are fewer, or in another order. */
export function shownOf({ rows: _rows, each: _each, within: _within, ...shown }: Relation): Shown {
  return shown;
}

/** A record that an operator made: its cells in the order of the columns. */
export type Cells = Value[];

export const cellColumns = (columns: readonly { name: string; type: Type }[]): Column[] =>
  columns.map(({ name, type }, index) => ({ name, type, get: (row) => (row as Cells)[index] as Value }));

/** A row and the cells that were computed of it so far. */
export interface Frame {
  base: Row;
  /** Which leg of a union the base is of. */
  from: number;
  cells: (Value | undefined)[];
}

/** How many cells the frames of a relation have: operators that follow each other share the frames, and add cells. */
export interface Layout {
  size: number;
}

export const frameOf = (base: Row, from: number, { size }: Layout): Frame => ({ base, from, cells: new Array(size) });

/**
 * Further cells for the rows of a relation, each computed at most once and only when it is read. Rows that are no frames yet
 * become some. Gives what makes the rows and, for the old and the new getters, getters over them.
 */
export function withComputed(
  { layout }: Pick<Relation, 'layout'>,
  computed: readonly Getter[],
): { wrap(row: Row): Row; over(get: Getter): Getter; computed: Getter[]; layout?: Layout } {
  if (computed.length === 0) return { wrap: (row) => row, over: (get) => get, computed: [], ...(layout && { layout }) };
  const frames = layout ?? { size: 0 };
  const first = frames.size;
  frames.size += computed.length;
  const over = (get: Getter): Getter => (layout ? get : (row) => get((row as Frame).base));
  return {
    layout: frames,
    wrap: (row) => (layout ? row : frameOf(row, 0, frames)),
    over,
    computed: computed.map((get, index) => {
      const [slot, compute] = [first + index, over(get)];
      return (row) => {
        const { cells } = row as Frame;
        const known = cells[slot];
        if (known !== undefined) return known;
        const value = compute(row);
        cells[slot] = value;
        return value;
      };
    }),
  };
}
