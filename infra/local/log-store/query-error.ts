import { randomUUID } from 'node:crypto';
import type { Diagnostic } from './kql/refusal.ts';

/** An error as the query API writes it. Source: https://learn.microsoft.com/azure/azure-monitor/logs/api/errors */
export interface ApiError {
  code: string;
  message: string;
  correlationId?: string;
  innererror?: ApiError;
  details?: ApiError[];
  [more: string]: unknown;
}

/** A refusal of the query API. */
export class QueryApiError extends Error {
  readonly status: number;
  readonly error: ApiError;

  constructor(status: number, code: string, message: string, innererror?: ApiError) {
    super(message);
    this.status = status;
    this.error = { message, code, correlationId: randomUUID(), ...(innererror ? { innererror } : {}) };
  }
}

export const badArgument = (innererror?: ApiError): QueryApiError =>
  new QueryApiError(400, 'BadArgumentError', 'The request had some invalid properties', innererror);

/** Codes of the parser for names that it cannot resolve. */
const UNRESOLVED = /^KS(142|204|208|109)$/;
/** Codes of the parser for what does not follow the grammar. */
const SYNTAX = /^KS(00\d|01\d|198|199)$/;

/** A query that is wrong, as the service says it. Texts beyond the documented ones are the parser's own. */
export function queryError(text: string, diagnostic: Diagnostic): QueryApiError {
  const { code, message, line, column, token } = diagnostic;
  const place = { line, pos: column, token: token.slice(0, 200) };
  if (SYNTAX.test(code)) {
    return badArgument({
      code: 'SyntaxError',
      message: 'A syntax error occurred.',
      innererror: { code: 'SYN0002', message: `${message} Query could not be parsed at '${place.token}'`, ...place },
    });
  }
  return badArgument({
    code: 'SemanticError',
    message: 'A semantic error occurred.',
    innererror: UNRESOLVED.test(code)
      ? { code: 'SEM0100', message: unresolved(text, diagnostic), ...place }
      : { code: code === 'NotExecuted' ? code : 'SEM0001', message, ...place },
  });
}

function unresolved(text: string, { start, token }: Diagnostic): string {
  const before = text.slice(0, start);
  // The operator that the name stands in; a table stands before the first one, and is told with the operator after it.
  const operators = [...before.matchAll(/\|\s*([\w-]+)/g)];
  const operator = operators.at(-1)?.[1] ?? /\|\s*([\w-]+)/.exec(text.slice(start))?.[1];
  const what = operators.length > 0 ? 'scalar' : 'table or column';
  return `${operator ? `'${operator}' operator: ` : ''}Failed to resolve ${what} expression named '${token}'`;
}

/** Stands beside tables that are not whole. */
export const partialError = (code: string, message: string): ApiError => ({
  code: 'PartialError',
  message: 'There were some errors when processing your query.',
  details: [
    {
      code: 'EngineError',
      message: 'Something went wrong processing your query on the server.',
      innererror: { code, message, severity: 2, severityName: 'Error' },
    },
  ],
});

export const timedOut = (): QueryApiError =>
  new QueryApiError(504, 'GatewayTimeout', 'Gateway timeout', {
    ...{ code: 'GatewayTimeout', message: 'ADX query timed out' },
  });
