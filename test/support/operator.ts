import { HttpRequest, type HttpRequestBodyInit } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { answerTo } from '../../functions/operator/answer.ts';
import type { Caller } from '../../functions/operator/authorise.ts';
import { asProblem, problemResponse } from '../../functions/operator/problem.ts';
import { parseRequest } from '../../functions/operator/request.ts';
import { type OperationName, type OperatorRoute, operatorRoutes } from '../../functions/operator/routes.ts';
import type { World } from '../../functions/world.ts';
import { createFakeLog } from './log.ts';

export const OPERATOR: Caller = { oid: 'oid-omar', name: 'Omar Operator', roles: ['Operator'] };
export const APPROVER: Caller = { oid: 'oid-ana', name: 'Ana Approver', roles: ['Approver'] };

export interface Sent {
  params?: Record<string, string>;
  query?: Record<string, string>;
  /** Text is sent as it is, anything else as JSON. */
  body?: unknown;
  idempotencyKey?: string;
  caller?: Caller;
  client?: DurableClient;
}

export interface Got {
  status: number;
  body: Record<string, unknown>;
  /** Everything that left: the answer and the log. */
  said: string;
}

/** One request through the door of the operator API, without its network and its sign-in. */
export async function ask(world: World, operation: OperationName, sent: Sent = {}): Promise<Got> {
  const route = operatorRoutes.find((each) => each.operation === operation) as OperatorRoute;
  const { params = {}, query = {}, body, idempotencyKey, caller = OPERATOR, client = {} as DurableClient } = sent;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const request = new HttpRequest({
    method: route.method,
    url: `http://localhost/api/${route.path}`,
    params,
    query,
    headers: idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey },
    ...(body === undefined ? {} : { body: { string: text } as HttpRequestBodyInit }),
  });
  const { log, lines } = createFakeLog();
  try {
    const parsed = await parseRequest(route, request);
    const answer = await answerTo(world, client, operation, parsed, caller);
    log.info('OperatorAnswered', { operation, caller: caller.oid, status: answer.status });
    const shown = JSON.stringify(answer);
    return {
      status: answer.status,
      body: JSON.parse(shown).body as Record<string, unknown>,
      said: shown + JSON.stringify(lines),
    };
  } catch (error) {
    const problem = asProblem(error);
    if (problem.code === 'Faulted') throw error;
    log.warn('OperatorRefused', { operation, code: problem.code, detail: problem.detail });
    const response = problemResponse(problem, 'invocation-1');
    const shown = String(response.body);
    return {
      status: problem.status,
      body: JSON.parse(shown) as Record<string, unknown>,
      said: JSON.stringify(response) + JSON.stringify(lines),
    };
  }
}
