import * as z from 'zod';
import type { Estate, Principal } from '../estate.ts';
import type { Fault } from '../faults.ts';
import { type Answer, json, listen, type Request } from '../http.ts';
import { IDENTITIES } from '../identity/registrations.ts';
import { RESOURCE_GROUP } from '../seed/resource-id.ts';
import { DEFAULT_TIME_LIMIT_MS, executeQuery, type QueryResult } from './kql/execute.ts';
import { QueryRefusal, QueryTimeout } from './kql/refusal.ts';
import { bounded, type Prefer, type QueryLimits, readPrefer, statistics } from './query-answer.ts';
import { badArgument, QueryApiError, queryError, timedOut } from './query-error.ts';
import type { LogStore } from './store.ts';
import { readTimespan } from './timespan.ts';
import { createWorkspace, type View } from './workspace.ts';

/** Audience of tokens. Source: https://learn.microsoft.com/azure/azure-monitor/logs/api/access-api */
export const LOGS_AUDIENCE = 'https://api.loganalytics.io';
export const WORKSPACE_ID = '00000000-0000-4000-8000-0000000e0001';
export const WORKSPACE_RESOURCE_ID = `${RESOURCE_GROUP}/providers/Microsoft.OperationalInsights/workspaces/log-keys`;

const LIMITS: QueryLimits = { rows: 500_000, bytes: 100_000_000 };

export interface LogQueries {
  /** What clients take as their endpoint, version included. */
  readonly url: string;
  readonly workspaceId: string;
  readonly limits: QueryLimits;
  /** Object ids that hold Log Analytics Reader on the workspace. */
  readonly readers: Set<string>;
  save(): unknown;
  load(saved: unknown): void;
  reset(): void;
  stop(): Promise<void>;
}

const queryBody = z.object({
  query: z.string(),
  timespan: z.string().nullish(),
  workspaces: z.array(z.string()).nullish(),
});
type QueryBody = z.infer<typeof queryBody>;

const batchBody = z.object({
  requests: z.array(
    z.object({
      id: z.string(),
      workspace: z.string(),
      headers: z.record(z.string(), z.string()).nullish(),
      body: queryBody,
    }),
  ),
});

/** Identities that read the workspace from the start: the one that observes, and the estate's administrator. */
const READERS = [IDENTITIES.observe.objectId, IDENTITIES.administrator.objectId];

/**
 * The log query API: workspaces, resources and batches. Faults of the service `logs`: operations `Query` and `Batch`, effects
 * `partial` (half of the rows, with an error beside them) and `timeout`.
 */
export async function startLogQueries(options: {
  port?: number;
  estate: Estate;
  store: LogStore;
}): Promise<LogQueries> {
  const { estate, store } = options;
  const workspace = createWorkspace({ id: WORKSPACE_ID, clock: estate.clock, store });
  const readers = new Set(READERS);
  const limits = { ...LIMITS };

  const grant = (objectIds: readonly string[]) => {
    readers.clear();
    for (const objectId of objectIds) readers.add(objectId);
  };

  const authenticate = async (request: Request): Promise<Principal> => {
    const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) {
      throw new QueryApiError(
        401,
        'AuthenticationFailed',
        "Authentication failed. The 'Authorization' header is missing.",
      );
    }
    const principal = await estate.tokens.verify(token, LOGS_AUDIENCE).catch(() => {
      throw new QueryApiError(403, 'InvalidAuthenticationToken', 'The access token is invalid.');
    });
    if (!readers.has(principal.oid)) {
      throw new QueryApiError(
        403,
        'InsufficientAccessError',
        'The provided credentials have insufficient access to perform the requested operation',
      );
    }
    return principal;
  };

  const run = (body: QueryBody, view: View, prefer: Prefer, fault: Fault) => {
    if (fault.kind === 'effect' && fault.effect === 'timeout') throw timedOut();
    const started = performance.now();
    const now = estate.clock.now();
    const tables = workspace.tables({ ...view, ...readTimespan(body.timespan, now) });
    const timeLimitMs = prefer.wait === undefined ? DEFAULT_TIME_LIMIT_MS : prefer.wait * 1000;
    let result: QueryResult;
    try {
      result = executeQuery(body.query, { tables, now, timeLimitMs });
    } catch (error) {
      if (error instanceof QueryTimeout) throw timedOut();
      const [diagnostic] = error instanceof QueryRefusal ? error.diagnostics : [];
      if (!diagnostic) throw error;
      throw queryError(body.query, diagnostic);
    }
    const { rows, error } = bounded(result.rows, limits, fault);
    return {
      tables: [{ name: 'PrimaryResult', columns: result.columns, rows }],
      ...(prefer.statistics ? { statistics: statistics((performance.now() - started) / 1000, rows.length) } : {}),
      ...(prefer.render ? { render: { visualization: result.render ?? null } } : {}),
      ...(error ? { error } : {}),
    };
  };

  const meet = async (operation: string, principal: Principal, attributes: Record<string, string>) => {
    const fault = await estate.faults.meet('logs', operation, { identity: principal.name, ...attributes });
    if (fault.kind === 'answer') throw new FaultAnswer(fault.status, fault.code, fault.message, fault.headers);
    return fault;
  };

  const query = async (request: Request, principal: Principal, view: View, place: string): Promise<Answer> => {
    const fault = await meet('Query', principal, { [view.resource ? 'resource' : 'workspace']: place });
    if (fault.kind === 'lostReply' && fault.when === 'before') return { destroy: true };
    const body = request.method === 'GET' ? Object.fromEntries(request.url.searchParams) : parsed(request);
    const read = queryBody.safeParse(body);
    if (!read.success) throw badArgument({ code: 'ValidationError', message: z.prettifyError(read.error) });
    const prefer = readPrefer(String(request.headers.prefer ?? ''));
    const result = run(read.data, view, prefer, fault);
    if (fault.kind === 'lostReply') return { destroy: true };
    return {
      status: 200,
      headers: prefer.applied === '' ? {} : { 'preference-applied': prefer.applied },
      body: result,
    };
  };

  const batch = async (request: Request, principal: Principal): Promise<Answer> => {
    const fault = await meet('Batch', principal, {});
    if (fault.kind === 'lostReply') return { destroy: true };
    const read = batchBody.safeParse(parsed(request));
    if (!read.success) throw badArgument({ code: 'ValidationError', message: z.prettifyError(read.error) });
    const responses = [];
    for (const one of read.data.requests) {
      try {
        known(one.workspace);
        const each = await meet('Query', principal, { workspace: one.workspace });
        const prefer = readPrefer(one.headers?.prefer ?? one.headers?.Prefer ?? '');
        responses.push({ id: one.id, status: 200, body: run(one.body, {}, prefer, each) });
      } catch (error) {
        if (!(error instanceof QueryApiError)) throw error;
        responses.push({ id: one.id, status: error.status, body: { error: error.error } });
      }
    }
    return { status: 200, body: { responses } };
  };

  const act = async (request: Request): Promise<Answer> => {
    const principal = await authenticate(request);
    const { method, path } = request;
    if (method === 'POST' && /^\/v1\/(\$|%24)batch$/i.test(path)) return batch(request, principal);
    const asked = /^\/v1\/workspaces\/([^/]+)\/query$/i.exec(path)?.[1];
    if (asked !== undefined && (method === 'POST' || method === 'GET')) {
      known(asked);
      return query(request, principal, {}, asked);
    }
    const resource = /^\/v1(\/subscriptions\/.+)\/query$/i.exec(path)?.[1]?.toLowerCase();
    if (resource !== undefined && (method === 'POST' || method === 'GET')) {
      // A query of the workspace as a resource sees all of it.
      const whole = resource === WORKSPACE_RESOURCE_ID.toLowerCase();
      return query(request, principal, whole ? {} : { resource }, resource);
    }
    throw notFound();
  };

  const handle = async (request: Request): Promise<Answer> => {
    try {
      return await act(request);
    } catch (error) {
      if (!(error instanceof QueryApiError)) throw error;
      const headers = error instanceof FaultAnswer ? error.headers : {};
      return { status: error.status, headers, body: { error: error.error } };
    }
  };

  const listener = await listen({ port: options.port ?? 0, tls: estate.tls, origin: 'https://localhost', handle });
  return {
    url: `https://localhost:${listener.port}/v1`,
    workspaceId: WORKSPACE_ID,
    limits,
    readers,
    save: () => ({ readers: [...readers] }),
    load: (saved) => grant((saved as { readers: string[] }).readers),
    reset() {
      grant(READERS);
      Object.assign(limits, LIMITS);
    },
    stop: () => listener.close(),
  };
}

/** An answer set through the faults. */
class FaultAnswer extends QueryApiError {
  readonly headers: Record<string, string>;

  constructor(status: number, code: string, message: string, headers: Record<string, string>) {
    super(status, code, message);
    this.headers = headers;
  }
}

const notFound = () => new QueryApiError(404, 'PathNotFoundError', 'The requested path does not exist');

function known(workspace: string): void {
  if (workspace.toLowerCase() !== WORKSPACE_ID && workspace.toLowerCase() !== WORKSPACE_RESOURCE_ID.toLowerCase()) {
    throw notFound();
  }
}

function parsed(request: Request): unknown {
  try {
    return json(request) ?? {};
  } catch (error) {
    throw badArgument({ code: 'ValidationError', message: `The body is not JSON: ${String(error)}` });
  }
}
