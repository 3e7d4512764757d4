/** Where something stands in a query: from 0 in `start`, from 1 in `line` and `column`. */
export interface Place {
  start: number;
  length: number;
  line: number;
  column: number;
}

export interface Diagnostic extends Place {
  /** The parser's code, or `NotExecuted` for what the estate does not execute. */
  code: string;
  severity: 'error' | 'warning';
  message: string;
  /** The text it speaks of. */
  token: string;
}

/** A query that is not executed: wrong, or right and beyond this executor. Never an empty table instead. */
export class QueryRefusal extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics[0]?.message ?? 'The query is refused.');
    this.name = 'QueryRefusal';
    this.diagnostics = diagnostics;
  }
}

/** The work went beyond what the query was given. */
export class QueryTimeout extends Error {}
