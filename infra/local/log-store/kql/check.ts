import { parseQuery, type TableSchema } from './parser.ts';
import type { Diagnostic } from './refusal.ts';

/**
 * Parses and type-checks a query against tables: everything the parser has to say, errors and warnings, with places. An empty
 * list is a sound query. It does not say whether the estate executes all of it.
 */
export function checkQuery(text: string, tables: readonly TableSchema[]): Diagnostic[] {
  return parseQuery(text, tables).diagnostics;
}
