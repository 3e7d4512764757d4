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

/** A row of a table, read once: its cells by the name of their column. */
interface Record {
  table: TableName;
  cells: { [column: string]: Value };
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
  const types = new Map(
    TABLE_NAMES.map((table) => [
      table,
      new Map(columnsOfTable(table, new Set(), true).map(({ name, type }) => [name, type])),
    ]),
  );
  const read = new WeakMap<StoredRow, Record[]>();

  const recordsOf = (stored: StoredRow): Record[] => {
    const known = read.get(stored);
    if (known) return known;
    const rows =
      stored.kind === 'audit' ? shaped(stored.row, stored.shape) : [{ table: stored.table, row: stored.row }];
    const records = rows.map(({ table, row }) => recordOf(table, row, stored));
    if (stored.ingestedAt !== undefined) read.set(stored, records);
    return records;
  };

  const recordOf = (table: TableName, row: TableRow, { generatedAt, ingestedAt }: StoredRow): Record => {
    const resource = String(row._ResourceId ?? row.ResourceId ?? row.HsmPoolResourceId ?? '').toLowerCase();
    const full: TableRow = {
      ...{ TenantId: id, Type: table, SourceSystem: 'Azure', _ResourceId: resource },
      ...row,
      TimeGenerated: generatedAt,
      _TimeReceived: row._TimeReceived ?? ingestedAt,
    };
    const cells: { [column: string]: Value } = Object.create(null);
    for (const [name, value] of Object.entries(full)) {
      const type =
        types.get(table)?.get(name) ??
        columnsOfTable(table, new Set([name]), false).find((one) => one.name === name)?.type;
      if (type) cells[name] = cellOf(value, type);
    }
    const ingested = ticksOfDate(new Date(ingestedAt ?? generatedAt));
    return { table, cells, generated: cells.TimeGenerated as number, ingested, resource };
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
      const used = new Set<string>();
      for (const stored of store.stored) {
        if (stored.ingestedAt === undefined) continue;
        for (const record of recordsOf(stored)) {
          if (record.ingested > now) continue;
          // A column stays once a row has used it, whatever the window of the query.
          if (record.table === 'AzureDiagnostics') for (const name in record.cells) used.add(name);
          records.get(record.table)?.push(record);
        }
      }
      return TABLE_NAMES.filter((table) => !missingTables.includes(table)).map((table): QueryTable => {
        const columns = columnsOfTable(table, used, allColumns);
        return {
          schema: { name: table, columns },
          relation: () => ({
            source: table,
            rows: (records.get(table) ?? []).filter(visible),
            columns: columns.map(({ name, type }): Column => {
              const otherwise = missing(type);
              return { name, type, get: (row: Row) => (row as Record).cells[name] ?? otherwise };
            }),
            ingestion: (row) => (row as Record).ingested,
          }),
        };
      });
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
