import { executeQuery, type QueryResult, type QueryTable } from '../../../../../infra/local/log-store/kql/execute.ts';
import { type Cells, cellColumns, given } from '../../../../../infra/local/log-store/kql/relation.ts';
import type { Type } from '../../../../../infra/local/log-store/kql/value.ts';

/** Noon of a Sunday. */
export const NOW = new Date('2026-11-22T12:00:00Z');

export const run = (query: string, tables: readonly QueryTable[] = []): QueryResult =>
  executeQuery(query, { tables, now: NOW });

/** The value of each expression. All of them are asked at once, because parsing is what takes the time. */
export function valuesOf(expressions: readonly string[]): Map<string, Cell> {
  const { rows } = run(`print ${expressions.map((one, index) => `x${index} = ${one}`).join(', ')}`);
  return new Map(expressions.map((one, index) => [one, rows[0]?.[index] as Cell]));
}
type Cell = string | number | boolean | null;

/** A table in memory. */
export const tableOf = (
  title: string,
  columns: readonly [label: string, type: Type][],
  rows: readonly Cells[],
): QueryTable => {
  const named = columns.map(([label, type]) => ({ name: label, type }));
  return {
    schema: { name: title, columns: named },
    relation: () => ({ source: title, rows: given(rows), columns: cellColumns(named) }),
  };
};
