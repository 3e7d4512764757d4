import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { AuditRow, Estate, Principal } from '../estate.ts';
import type { Fault } from '../faults.ts';
import { type Answer, json, type Request } from '../http.ts';
import type { Access } from './access.ts';
import { API_VERSIONS, errorBody, responseHeaders } from './answers.ts';
import { authenticate } from './authentication.ts';
import { anyBody, parseBody } from './bodies.ts';
import { badParameter, fromReading, HsmError, publicNetworkClosed, restoreInProgress } from './errors.ts';
import { createThrottle } from './limits.ts';
import type { Readings } from './readings.ts';
import { type Call, createRouter, type MatchedRoute, type Reply, type Route } from './routes/route.ts';
import { keyUrl, type Vault } from './wire.ts';

/** Authenticated calls by operation name. */
export type CallCounts = Record<string, number>;

/** Unknown paths are authenticated and logged too; the name is ours. Source: managed-hsm/logging. */
const UNKNOWN_OPERATION = 'Unknown';

/** Everything that happens to one request: challenge, faults, restore mode, rights, the route, the audit row. */
export function createPipeline(options: {
  name: string;
  resourceId: string;
  region: string;
  audience: string;
  estate: Estate;
  vault: Vault;
  readings: Readings;
  access: Access;
  routes(): readonly Route[];
  restoring(): boolean;
  activated(): boolean;
  reachable(): boolean;
}) {
  const { estate, vault, readings } = options;
  const match = createRouter(options.routes);
  const throttle = createThrottle();
  let counts: CallCounts = {};

  /** Refusals in the service's order as far as it is known: restore mode, address, rights, activation, rate, content. */
  const act = async (matched: MatchedRoute | undefined, call: Call): Promise<Reply> => {
    const { route, params } = matched ?? {};
    if (options.restoring() && !route?.duringRestore) throw restoreInProgress();
    if (!route?.withoutApiVersion) checkApiVersion(call.request.url);
    if (!route || !params) throw new HsmError(404, 'NotFound', `No resource at ${call.request.path}`);
    options.access.demand(call.principal.oid, route.dataAction, route.scope(params));
    if (!options.activated() && !route.beforeActivation) throw fromReading(readings.notActivated);
    if (readings.throttling && route.rate) throttle(route.rate);
    return route.handle(call);
  };

  const handle = async (request: Request): Promise<Answer> => {
    const activityId = randomUUID();
    const started = performance.now();
    const finish = (reply: Reply): Answer => ({
      status: reply.status,
      body: reply.body,
      headers: {
        ...responseHeaders({
          method: request.method,
          activityId,
          durationMs: performance.now() - started,
          region: options.region,
          remoteAddress: request.remoteAddress.replace(/^::ffff:/, ''),
          status: reply.status,
        }),
        ...reply.headers,
      },
    });

    // The firewall comes before the call is looked at, and before the audit log.
    if (!options.reachable()) return finish(await replyOf(() => Promise.reject(publicNetworkClosed()), activityId));
    const { audience } = options;
    const authentication = await authenticate(request, { tokens: estate.tokens, tenantId: estate.tenantId, audience });
    if (authentication.kind === 'refused') {
      const { body, challenge } = authentication;
      return finish({ status: 401, body, headers: { 'www-authenticate': challenge } });
    }

    const matched = match(request.method, request.path);
    const operation = matched?.route.operation ?? UNKNOWN_OPERATION;
    counts[operation] = (counts[operation] ?? 0) + 1;
    const key = matched?.params.name;
    const fault = await estate.faults.meet('hsm', operation, { hsm: options.name, ...(key ? { key } : {}) });
    if (fault.kind === 'lostReply' && fault.when === 'before') return { destroy: true };

    const call = createCall(request, matched, authentication.principal, fault);
    const reply = await replyOf(() => (fault.kind === 'answer' ? refuse(fault) : act(matched, call)), activityId);
    const durationMs = performance.now() - started;
    estate.audit(auditRow({ call, reply, operation, activityId, durationMs }));
    return fault.kind === 'lostReply' ? { destroy: true } : finish(reply);
  };

  const auditRow = (seen: {
    call: Call;
    reply: Reply;
    operation: string;
    activityId: string;
    durationMs: number;
  }): AuditRow => {
    const { call, reply } = seen;
    const { request, principal, audit } = call;
    const failure = reply.status >= 400 ? (reply.body as { error?: { message?: string } }).error?.message : undefined;
    return {
      time: estate.clock.now().toISOString(),
      hsm: options.name,
      resourceId: options.resourceId,
      operationName: seen.operation,
      httpStatusCode: reply.status,
      resultType: readings.auditResultType === 'byStatus' && reply.status >= 400 ? 'Failure' : 'Success',
      ...(failure === undefined ? {} : { resultDescription: failure }),
      callerIpAddress: request.remoteAddress.replace(/^::ffff:/, ''),
      clientInfo: request.headers['user-agent'] ?? '',
      requestUri: `${vault.uri}${request.url.pathname}${request.url.search}`,
      correlationId: seen.activityId,
      durationMs: Math.round(seen.durationMs),
      identity: { oid: principal.oid, appid: principal.appid, ...(principal.upn ? { upn: principal.upn } : {}) },
      ...(audit.key === undefined ? {} : { id: keyUrl(vault, audit.key, audit.version) }),
      ...(audit.algorithm === undefined ? {} : { algorithm: audit.algorithm }),
    };
  };

  return {
    handle,
    counts: (): CallCounts => ({ ...counts }),
    setCounts: (next: CallCounts) => {
      counts = { ...next };
    },
  };
}

function createCall(request: Request, matched: MatchedRoute | undefined, principal: Principal, fault: Fault): Call {
  const { name, version } = matched?.params ?? {};
  return {
    request,
    params: matched?.params ?? {},
    principal,
    effect: fault.kind === 'effect' ? fault.effect : undefined,
    audit: { ...(name === undefined ? {} : { key: name }), ...(version === undefined ? {} : { version }) },
    body() {
      let parsed: unknown;
      try {
        parsed = json(request);
      } catch (error) {
        throw badParameter(`The body is not JSON: ${(error as Error).message}`);
      }
      return parseBody(anyBody, parsed);
    },
  };
}

function refuse(fault: Extract<Fault, { kind: 'answer' }>): never {
  throw new HsmError(fault.status, fault.code, fault.message, { headers: fault.headers });
}

async function replyOf(act: () => Reply | Promise<Reply>, activityId: string): Promise<Reply> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof HsmError)) throw error;
    return { status: error.status, headers: error.headers, body: errorBody(error, activityId) };
  }
}

/** Required, without a default. Source: general/authentication-requests-and-responses. The texts are ours. */
function checkApiVersion(url: URL): void {
  const version = url.searchParams.get('api-version');
  if (version === null) throw badParameter('The query parameter api-version is missing.');
  if (!API_VERSIONS.has(version)) throw badParameter(`The api-version '${version}' is not supported.`);
}
