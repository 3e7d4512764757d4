import type { EstateClock } from '../clock.ts';
import type { QueryTable } from './kql/execute.ts';
import { parseAs } from './kql/literal.ts';
import type { Column, Row } from './kql/relation.ts';
import { ticksOfDate } from './kql/time.ts';
import { missing, type Type, type Value } from './kql/value.ts';
import { shaped, type TableRow } from './shape.ts';
import type { LogStore, StoredRow } from './store.ts';
import { columnsOfTable, TABLE_NAMES, type TableName } from './tables.ts';

/** Which rows a query may see. */
export interface View {
  /** Times of operations, from (inclusive) to (exclusive). */
  from?: Date;
  to?: Date;
  /** Lower-case resource id that the rows belong to or lie under. */
  resource?: string;
}

/** A row of a table, read once: its cells in the order in which columns of the table were first used. */
interface Record {
  table: TableName;
  cells: (Value | undefined)[];
  generated: number;
  ingested: number;
  resource: string;
}

export interface Workspace {
  tables(view: View): QueryTable[];
}

/** The tables of the workspace as queries see them now. Each stored row is read once, at its first query. */
export function createWorkspace(options: { id: string; clock: EstateClock; store: LogStore }): Workspace {
  const { id, clock, store } = options;
  const used = new Map(TABLE_NAMES.map((table) => [table, createUsedColumns(table)]));
  /** What was read of each stored row, in their order. */
  const read: { stored: StoredRow; records: Record[] }[] = [];

  const recordsAt = (index: number, stored: StoredRow): Record[] => {
    const known = read[index];
    if (known?.stored === stored) return known.records;
    const rows =
      stored.kind === 'audit' ? shaped(stored.row, stored.shape) : [{ table: stored.table, row: stored.row }];
    const records = rows.map(({ table, row }) => recordOf(table, row, stored));
    read[index] = { stored, records };
    return records;
  };

  const recordOf = (table: TableName, row: TableRow, { generatedAt, ingestedAt }: StoredRow): Record => {
    const columns = used.get(table) as UsedColumns;
    const cells = new Array<Value | undefined>(columns.size());
    const put = (name: string, value: unknown) => {
      const column = value === undefined ? undefined : columns.use(name);
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
    const generated = parseAs(generatedAt, 'datetime') as number;
    const ingested = parseAs(ingestedAt ?? generatedAt, 'datetime') as number;
    return { table, cells, generated, ingested, resource: resource.toLowerCase() };
  };

  return {
    tables({ from, to, resource }) {
      const { missingTables, allColumns } = store.settings();
      const now = ticksOfDate(clock.now());
      const visible = (record: Record) =>
        record.ingested <= now &&
        (from === undefined || record.generated >= ticksOfDate(from)) &&
        (to === undefined || record.generated < ticksOfDate(to)) &&
        (resource === undefined || record.resource === resource || record.resource.startsWith(`${resource}/`));
      const records = new Map<TableName, Record[]>(TABLE_NAMES.map((table) => [table, []]));
      read.length = Math.min(read.length, store.stored.length);
      for (const [index, stored] of store.stored.entries()) {
        if (stored.ingestedAt === undefined) continue;
        for (const record of recordsAt(index, stored)) {
          if (record.ingested <= now) records.get(record.table)?.push(record);
        }
      }
      return TABLE_NAMES.filter((table) => !missingTables.includes(table)).map((table): QueryTable => {
        const known = used.get(table) as UsedColumns;
        const columns = columnsOfTable(table, known.names(records.get(table) ?? []), allColumns);
        return {
          schema: { name: table, columns },
          relation: () => ({
            source: table,
            rows: (records.get(table) ?? []).filter(visible),
            columns: columns.map(({ name, type }): Column => {
              const [at, otherwise] = [known.at(name), missing(type)];
              return { name, type, get: (row: Row) => (row as Record).cells[at] ?? otherwise };
            }),
            ingestion: (row) => (row as Record).ingested,
          }),
        };
      });
    },
  };
}

interface UsedColumns {
  /** Where a row keeps the column; undefined for one that the table does not take. */
  use(name: string): { at: number; type: Type } | undefined;
  at(name: string): number;
  size(): number;
  /** The columns that rows have used, whatever the window of a query. */
  names(records: readonly Record[]): Set<string>;
}

function createUsedColumns(table: TableName): UsedColumns {
  const published = new Map(columnsOfTable(table, new Set(), true).map(({ name, type }) => [name, type]));
  const known = new Map<string, { at: number; type: Type } | undefined>();
  const order: string[] = [];
  const use = (name: string) => {
    if (known.has(name)) return known.get(name);
    const type =
      published.get(name) ?? columnsOfTable(table, new Set([name]), false).find((one) => one.name === name)?.type;
    const made = type === undefined ? undefined : { at: order.push(name) - 1, type };
    known.set(name, made);
    return made;
  };
  return {
    use,
    at: (name) => use(name)?.at ?? -1,
    size: () => order.length,
    names(records) {
      const found = order.map(() => false);
      for (const { cells } of records) {
        for (let at = 0; at < cells.length; at++) if (cells[at] !== undefined) found[at] = true;
      }
      return new Set(order.filter((_, at) => found[at]));
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
