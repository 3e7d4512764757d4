import type { Answer, Request } from '../http.ts';
import { json } from '../http.ts';
import { Problem } from './problem.ts';

export interface RouteCall {
  request: Request;
  /** Values of the `{name}` parts of the path. */
  params: Record<string, string>;
  query: URLSearchParams;
  /** The body as JSON; throws a 400 Problem when it is not JSON. */
  body(): unknown;
}

/** One control route. The result of `act` is sent as JSON with status 200; undefined gives 204. */
export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  /** For example `/hsms/{name}/keys`. */
  path: string;
  /** One line for the index page. */
  purpose: string;
  /** JSON for the index page. */
  example?: unknown;
  act(call: RouteCall): unknown;
}

/** Answers a request by the first route that matches. Throws a 404 or 405 Problem when none does. */
export async function answerBy(routes: readonly Route[], request: Request): Promise<Answer> {
  const matching = routes.flatMap((route) => {
    const params = match(route.path, request.path);
    return params ? [{ route, params }] : [];
  });
  if (matching.length === 0) {
    throw new Problem(404, 'ERR_NOT_FOUND', `There is no route ${request.path}. GET / lists them all.`);
  }
  const found = matching.find(({ route }) => route.method === request.method);
  if (!found) {
    const methods = matching.map(({ route }) => route.method).join(', ');
    throw new Problem(405, 'ERR_METHOD', `${request.path} takes ${methods}.`);
  }
  const body = () => {
    try {
      return json(request);
    } catch (error) {
      throw new Problem(400, 'ERR_INPUT', `The body is not JSON: ${String(error)}`, [
        { field: 'body', rule: 'is JSON' },
      ]);
    }
  };
  const result = await found.route.act({ request, params: found.params, query: request.url.searchParams, body });
  return result === undefined ? { status: 204 } : { status: 200, body: result };
}

function match(pattern: string, path: string): Record<string, string> | undefined {
  const [expected, given] = [pattern.split('/'), path.split('/')];
  if (expected.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of expected.entries()) {
    const value = given[index] ?? '';
    if (part.startsWith('{')) params[part.slice(1, -1)] = decodeURIComponent(value);
    else if (part !== value) return undefined;
  }
  return params;
}
