import type { LogsTable } from '@azure/monitor-query-logs';
import { AppError, hasCode } from '../../errors.ts';
import { redactText } from '../../redact.ts';
import { once } from '../once.ts';
import { classifyFailure } from './classify-failure.ts';
import type { Identity } from './credentials.ts';
import { clientOptions, REPEATING } from './hsm-client.ts';

/** A cell by the name of its column: text, number, Date, or what a dynamic cell holds. */
export type LogRecord = Record<string, unknown>;

export interface LogQueryOptions {
  workspace: string;
  endpoint: string;
  audience: string;
  identity: Identity;
  /** How long the workspace may work on one query, in seconds; the service's own limit is ten minutes. */
  serverSeconds?: number;
  requestMs?: number;
}

/** https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/monitor#log-analytics-reader */
const ROLE = 'Log Analytics Reader';
const SERVER_SECONDS = 180;
/** The answer may take as long as the query, and then has to travel. */
const GRACE_MS = 20_000;

/** Runs queries in one workspace, acting as one identity. Reading only, so every request may be repeated. */
export function createLogQuery(options: LogQueryOptions) {
  const { workspace, endpoint, audience, identity, serverSeconds = SERVER_SECONDS } = options;
  const connect = once(async () => {
    const [{ LogsQueryClient }, credential] = await Promise.all([
      import('@azure/monitor-query-logs'),
      identity.credential(),
    ]);
    const { additionalPolicies = [], ...rest } = clientOptions(
      REPEATING,
      options.requestMs ?? serverSeconds * 1000 + GRACE_MS,
    );
    return new LogsQueryClient(credential, {
      ...rest,
      endpoint,
      credentials: { scopes: [`${audience}/.default`] },
      additionalPolicies: [...additionalPolicies, { position: 'perCall', policy: readableFailures }],
    });
  });

  /** `act` completes "Could not …". The span is of event time, applied beside what the query says. */
  return async (act: string, query: string, span: { from: Date; to: Date }): Promise<LogRecord[]> => {
    try {
      const client = await connect();
      const answer = await client.queryWorkspace(
        workspace,
        query,
        { startTime: span.from, endTime: span.to },
        { serverTimeoutInSeconds: serverSeconds },
      );
      if (answer.status === 'Success') return recordsOf(answer.tables[0]);
      throw partial(act, 'partialError' in answer ? answer.partialError : undefined);
    } catch (error) {
      throw withAdvice(classifyFailure(error, { act, identity, role: ROLE }));
    }
  };
}

const recordsOf = (table: LogsTable | undefined): LogRecord[] =>
  (table?.rows ?? []).map((row) =>
    Object.fromEntries((table?.columnDescriptors ?? []).map(({ name }, index) => [name, row[index]])),
  );

/** What was read in part was not read: a finding might lie in the other part. */
function partial(act: string, error: { code?: string; message?: string } | undefined): AppError {
  const told = [error?.code, error?.message].filter(Boolean).join(', ');
  const words = redactText(told.split('\n')[0] ?? '').slice(0, 300);
  return new AppError('ERR_TRANSIENT', `Only a part came when trying to ${act}: ${words || 'no reason given'}`, {
    nextStep: 'Nothing to do: it is tried again.',
  });
}

/**
 * The service says what is wrong in the innermost of several errors, of which the client passes on the outermost. A gateway's
 * page instead of any would end in a TypeError of the client.
 */
const readableFailures = {
  name: 'readableFailures',
  async sendRequest<Q, R extends { status: number; bodyAsText?: string | null }>(
    request: Q,
    next: (request: Q) => Promise<R>,
  ): Promise<R> {
    const response = await next(request);
    if (response.status < 400) return response;
    const error = errorIn(response.bodyAsText ?? '');
    const message = innermost(error)?.message ?? 'The service gave no reason.';
    response.bodyAsText = JSON.stringify({ error: { code: error?.code ?? `Http${response.status}`, message } });
    return response;
  },
};

interface WireError {
  code?: string;
  message?: string;
  innererror?: WireError;
}

function errorIn(body: string): WireError | undefined {
  try {
    return (JSON.parse(body) as { error?: WireError } | null)?.error;
  } catch {
    return undefined;
  }
}

const innermost = (error: WireError | undefined): WireError | undefined =>
  error?.innererror?.message === undefined ? error : innermost(error.innererror);

/** The workspace knows none of the tables: nothing was ever sent there, or to another table. */
function withAdvice(error: unknown): unknown {
  if (!hasCode(error, 'ERR_REFUSED_BY_SERVICE') || !/resolve|not there/i.test(error.message)) return error;
  return new AppError('ERR_REFUSED_BY_SERVICE', error.message, {
    nextStep:
      'Send the category AuditEvent of the HSM to the workspace MHSM_LOGS_WORKSPACE by a diagnostic setting, and name the table that it writes to in MHSM_LOGS_TABLES.',
    cause: error,
  });
}
