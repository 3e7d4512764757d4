import type { EstateClock } from '../clock.ts';
import type { QueryTable } from './kql/execute.ts';
import { parseAs } from './kql/literal.ts';
import { type Column, INGESTION, once, type Relation, type Row, type Shown } from './kql/relation.ts';
import { ticksOfDate } from './kql/time.ts';
import { missing, type Type, type Value } from './kql/value.ts';
import { shaped, type TableRow } from './shape.ts';
import type { LogStore, StoredRow } from './store.ts';
import { ALL_TABLES, columnsOfTable, type TableName } from './tables.ts';
import { ALWAYS, createTimeIndex, narrowest, type Timed, type TimeIndex, type Window } from './time-index.ts';

/** Which rows a query may see. */
export interface View {
  /** Times of operations, from (inclusive) to (exclusive). */
  from?: Date;
  to?: Date;
  /** Lower-case resource id that the rows belong to or lie under. */
  resource?: string;
}

/** A row of a table, read once: its cells in the order in which columns of the table were first used. */
interface Record extends Timed {
  cells: (Value | undefined)[];
  resource: string;
}

export interface Workspace {
  tables(view: View): QueryTable[];
}

/** A table of the workspace: its rows by time, and the columns that they use. */
interface Table {
  name: TableName;
  index: TimeIndex<Record>;
  used: UsedColumns;
}

/** The tables of the workspace as queries see them now. Each stored row is read once, at the first query after it arrived. */
export function createWorkspace(options: { id: string; clock: EstateClock; store: LogStore }): Workspace {
  const { id, clock, store } = options;
  const tables = ALL_TABLES.map((name): Table => ({ name, index: createTimeIndex(), used: createUsedColumns(name) }));
  const tableOf = new Map(tables.map((table) => [table.name, table]));
  /** How many of the stored rows were read, and the last of them. */
  let read: { count: number; last: StoredRow | undefined } = { count: 0, last: undefined };
  /** Rows that an outage holds. */
  let held: StoredRow[] = [];

  const take = (stored: StoredRow): void => {
    const rows =
      stored.kind === 'audit' ? shaped(stored.row, stored.shape) : [{ table: stored.table, row: stored.row }];
    for (const { table: name, row } of rows) {
      const table = tableOf.get(name);
      table?.index.add(recordOf(table, row, stored));
    }
  };

  const recordOf = ({ name: table, used }: Table, row: TableRow, { generatedAt, ingestedAt }: StoredRow): Record => {
    const ingested = parseAs(ingestedAt ?? generatedAt, 'datetime') as number;
    const cells = new Array<Value | undefined>(used.size());
    const put = (name: string, value: unknown) => {
      const column = value === undefined ? undefined : used.use(name, ingested);
      if (column) cells[column.at] = cellOf(value, column.type);
    };
    for (const name in row) put(name, row[name]);
    const resource =
      typeof row._ResourceId === 'string'
        ? row._ResourceId
        : String(row.ResourceId ?? row.HsmPoolResourceId ?? '').toLowerCase();
    put('_ResourceId', resource);
    put('TenantId', row.TenantId ?? id);
    put('Type', row.Type ?? table);
    put('SourceSystem', row.SourceSystem ?? 'Azure');
    put('TimeGenerated', generatedAt);
    put('_TimeReceived', row._TimeReceived ?? ingestedAt);
    const generated = (parseAs(generatedAt, 'datetime') as number | null) ?? 0;
    return { cells, generated, ingested, resource: resource.toLowerCase() };
  };

  const readWhatIsNew = (): void => {
    const { stored } = store;
    if (stored.length < read.count || stored[read.count - 1] !== read.last) {
      // The store was emptied, and maybe filled anew.
      for (const { index, used } of tables) {
        index.clear();
        used.clear();
      }
      held = [];
      read = { count: 0, last: undefined };
    }
    const fresh = [...held, ...stored.slice(read.count)];
    held = [];
    for (const row of fresh) {
      if (row.ingestedAt === undefined) held.push(row);
      else take(row);
    }
    read = { count: stored.length, last: stored.at(-1) };
  };

  return {
    tables({ from, to, resource }) {
      readWhatIsNew();
      const { missingTables, allColumns } = store.settings();
      const now = ticksOfDate(clock.now());
      const end = to === undefined ? ALWAYS.high : ticksOfDate(to);
      const view: Window = {
        generated: { low: from === undefined ? ALWAYS.low : ticksOfDate(from), high: end },
        ingested: { low: ALWAYS.low, high: now },
      };
      const visible = (record: Record) =>
        record.generated < end &&
        (resource === undefined || record.resource === resource || record.resource.startsWith(`${resource}/`));
      return tables
        .filter(({ name }) => !missingTables.includes(name))
        .map(({ name, index, used }): QueryTable => {
          const columns = columnsOfTable(name, used.names(now), allColumns);
          const relationOf = (window: Window, shown: Shown): Relation => ({
            ...shown,
            rows: once(() => index.within(window).filter(visible)),
            within(place, range) {
              const time = place === INGESTION ? 'ingested' : place === 'TimeGenerated' ? 'generated' : undefined;
              return time && relationOf({ ...window, [time]: narrowest(window[time], range) }, shown);
            },
          });
          return {
            schema: { name, columns },
            relation: () =>
              relationOf(view, {
                source: name,
                columns: columns.map((column): Column => {
                  const [at, otherwise] = [used.at(column.name), missing(column.type)];
                  return { ...column, get: (row: Row) => (row as Record).cells[at] ?? otherwise };
                }),
                ingestion: (row) => (row as Record).ingested,
              }),
          };
        });
    },
  };
}

interface UsedColumns {
  /** Where a row that was ingested then keeps the column; undefined for one that the table does not take. */
  use(name: string, ingested: number): { at: number; type: Type } | undefined;
  at(name: string): number;
  size(): number;
  /** The columns that rows which are ingested by now have used, whatever the window of a query. */
  names(now: number): Set<string>;
  /** Forgets who used them, not where they are kept. */
  clear(): void;
}

function createUsedColumns(table: TableName): UsedColumns {
  const published = new Map(columnsOfTable(table, new Set(), true).map(({ name, type }) => [name, type]));
  const known = new Map<string, { at: number; type: Type } | undefined>();
  const order: string[] = [];
  /** When the first row that uses it was ingested, of each column. */
  let first: number[] = [];
  const place = (name: string) => {
    if (known.has(name)) return known.get(name);
    const type =
      published.get(name) ?? columnsOfTable(table, new Set([name]), false).find((one) => one.name === name)?.type;
    const made = type === undefined ? undefined : { at: order.push(name) - 1, type };
    known.set(name, made);
    return made;
  };
  return {
    use(name, ingested) {
      const column = place(name);
      if (column) first[column.at] = Math.min(first[column.at] ?? ingested, ingested);
      return column;
    },
    at: (name) => place(name)?.at ?? -1,
    size: () => order.length,
    names: (now) => new Set(order.filter((_, at) => (first[at] ?? Number.POSITIVE_INFINITY) <= now)),
    clear() {
      first = [];
    },
  };
}

/** A cell of a column, from what a row was given: texts are read as the column's type. */
function cellOf(value: unknown, type: Type): Value {
  if (value === null || value === undefined) return missing(type);
  if (type === 'dynamic') return value as Value;
  if (type === 'string') return typeof value === 'string' ? value : JSON.stringify(value);
  // The placeholders of documented rows are no GUIDs, and are to be found all the same.
  if (type === 'guid') return String(value);
  if (typeof value === 'string') return parseAs(value, type);
  return typeof value === 'number' || typeof value === 'boolean' ? value : null;
}
