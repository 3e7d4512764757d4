import type { TableSchema } from './kql/parser.ts';
import { type Type, typeNamed } from './kql/value.ts';
import signIns from './sign-in-schemas.json' with { type: 'json' };
import published from './table-schemas.json' with { type: 'json' };

/** The tables of the workspace that speak of Managed HSMs. */
export const TABLE_NAMES = ['AZKVAuditLogs', 'AzureDiagnostics', 'AzureActivity'] as const;
/** What Microsoft Entra may send to the same workspace. Of each the columns that a query of the app or a test names. */
export const SIGN_IN_TABLES = ['SigninLogs', 'AADServicePrincipalSignInLogs', 'AADManagedIdentitySignInLogs'] as const;
export const ALL_TABLES = [...TABLE_NAMES, ...SIGN_IN_TABLES] as const;
export type TableName = (typeof ALL_TABLES)[number];

type Column = TableSchema['columns'][number];

const typed = (name: string, text: string): Column => {
  const type = typeNamed(text);
  if (!type) throw new TypeError(`The column ${name} has a type that the query language does not know: ${text}.`);
  return { name, type };
};

/**
 * When Azure Monitor received a record, of every table.
 * Source: https://learn.microsoft.com/azure/azure-monitor/logs/log-standard-columns
 */
const RECEIVED: Column = { name: '_TimeReceived', type: 'datetime' };

/**
 * A bag of what came after the five hundredth column; the page tells of it, and does not list it.
 * Source: https://learn.microsoft.com/azure/azure-monitor/reference/tables/azurediagnostics
 */
const BEYOND: Column = { name: 'AdditionalFields', type: 'dynamic' };

/** Columns as their reference pages list them; the page of each is in table-schemas.json. */
export function publishedColumns(table: TableName): Column[] {
  const { columns } = { ...published, ...signIns }[table];
  return [...Object.entries(columns).map(([name, type]) => typed(name, type)), RECEIVED];
}

/** Types that the suffix of a column of AzureDiagnostics gives. */
const SUFFIXES: Record<string, Type> = { s: 'string', d: 'real', g: 'guid', b: 'bool', t: 'datetime' };
const suffixType = (name: string): Type | undefined => SUFFIXES[/[^_]_([sdgbt])$/.exec(name)?.[1] ?? ''];

/**
 * The columns of a table, given the names that its rows have used. Those of AzureDiagnostics with a suffix exist once a row
 * has used them; `all` makes every published one.
 * Source: https://learn.microsoft.com/azure/azure-monitor/reference/tables/azurediagnostics
 */
export function columnsOfTable(table: TableName, used: ReadonlySet<string>, all: boolean): Column[] {
  const known = publishedColumns(table);
  if (table !== 'AzureDiagnostics') return known;
  const listed = known.filter(({ name }) => all || suffixType(name) === undefined || used.has(name));
  const names = new Set(listed.map(({ name }) => name));
  const more = [...used].filter((name) => !names.has(name) && suffixType(name) !== undefined);
  return [...listed, BEYOND, ...more.sort().map((name) => ({ name, type: suffixType(name) ?? 'string' }) as Column)];
}

/** Whether a row may carry the column: published, or with a suffix that AzureDiagnostics makes columns of. */
export function takesColumn(table: TableName, name: string): boolean {
  if (table === 'AzureDiagnostics' && (suffixType(name) !== undefined || name === BEYOND.name)) return true;
  return publishedColumns(table).some((one) => one.name === name);
}

/** All tables with all of their published columns: what a query file is checked against. */
export const publishedTables = (used: Partial<Record<TableName, readonly string[]>> = {}): TableSchema[] =>
  ALL_TABLES.map((name) => ({ name, columns: columnsOfTable(name, new Set(used[name]), true) }));
