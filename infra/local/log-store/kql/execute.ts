import { child, items, kind, type Node, nameOf, parseQuery, refuse, type TableSchema } from './parser.ts';
import { bind, compileRelation } from './query.ts';
import { type Diagnostic, QueryRefusal } from './refusal.ts';
import type { Relation } from './relation.ts';
import { type Binding, deadline, type Scope } from './scope.ts';
import { ticksOfDate } from './time.ts';
import { type Type, toWire } from './value.ts';

/** A table of the workspace: what the parser is told, and its rows. */
export interface QueryTable {
  schema: TableSchema;
  relation(): Relation;
}

export interface QueryOptions {
  tables: readonly QueryTable[];
  now: Date;
  /** Real milliseconds that the query may take; default three minutes, as the service. */
  timeLimitMs?: number;
}

export interface QueryResult {
  columns: { name: string; type: Type }[];
  rows: (string | number | boolean | null)[][];
  /** What the query asks to be drawn as, for example `timechart`. */
  render?: string;
}

/** Three minutes, unless `Prefer: wait` says otherwise. Source: https://learn.microsoft.com/azure/azure-monitor/logs/api/timeouts */
export const DEFAULT_TIME_LIMIT_MS = 180_000;

/**
 * Runs a query. Throws QueryRefusal for what is wrong or not executed, naming it and its place, and QueryTimeout when it takes
 * too long.
 */
export function executeQuery(text: string, options: QueryOptions): QueryResult {
  const tables = new Map(options.tables.map((one) => [one.schema.name, one]));
  const { root, diagnostics, references } = parseQuery(
    text,
    options.tables.map(({ schema }) => schema),
  );
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new QueryRefusal(errors);

  const names = new Map<string, Binding>();
  const world = {
    text,
    now: ticksOfDate(options.now),
    table: (name: string) => (tables.get(name) as QueryTable).relation(),
    references: (name: string) => references.get(name) ?? 0,
    relation: compileRelation,
    checkTime: deadline(options.timeLimitMs ?? DEFAULT_TIME_LIMIT_MS),
  };
  let result: Relation | undefined;
  let shown: Node | undefined;
  for (const statement of items(root.Statements)) {
    const scope: Scope = { world, columns: [], names: new Map(names) };
    if (kind(statement) === 'LetStatement') {
      const name = nameOf(child(statement, 'Name'));
      names.set(name, bind(name, child(statement, 'Expression'), scope));
    } else if (kind(statement) === 'ExpressionStatement' && !shown) {
      shown = child(statement, 'Expression');
      result = compileRelation(shown, scope);
    } else {
      refuse(text, statement, shown ? 'a second result' : `the statement '${kind(statement)}'`);
    }
  }
  if (!result || !shown) throw new QueryRefusal([nothingAsked(text)]);
  const { columns, rows } = result;
  const render = renderOf(shown);
  return {
    columns: columns.map(({ name, type }) => ({ name, type })),
    rows: rows().map((row) => columns.map(({ get, type }) => toWire(get(row), type))),
    ...(render === undefined ? {} : { render }),
  };
}

const nothingAsked = (text: string): Diagnostic => ({
  ...{ code: 'NoResult', severity: 'error', token: '', start: text.length, length: 0, line: 1, column: 1 },
  message: 'The query has no expression that gives rows.',
});

function renderOf(node: Node): string | undefined {
  if (kind(node) !== 'PipeExpression') return undefined;
  const operator = child(node, 'Operator');
  return kind(operator) === 'RenderOperator' ? String((operator.ChartType as Node).ValueText) : undefined;
}
