import type { Answer, Request } from '../../http.ts';
import type { Cookie, FunctionMetadata, HttpData, Registry } from '../core-module.ts';
import type { Invoke } from '../invocation.ts';
import { type AuthLevel, givenKey, type HostKeys, opens } from '../keys.ts';
import { comparePrecedence, matchRoute, parseRoute, type Route } from '../routes.ts';

interface HttpFunction {
  name: string;
  route: Route;
  methods: string[];
  authLevel: AuthLevel;
}

export interface HttpTriggers {
  functions: HttpFunction[];
  /** Undefined when no function has a route for path and method. */
  handle(request: Request): Promise<Answer> | undefined;
}

/** Routes requests to HTTP functions as the host does: path and method first, then key. */
export function createHttpTriggers(options: {
  registry: Registry;
  invoke: Invoke;
  keys: HostKeys;
  routePrefix: string;
}): HttpTriggers {
  const functions = [...options.registry.functions.values()]
    .flatMap(({ metadata }) => httpFunction(metadata, options.routePrefix))
    .toSorted((a, b) => comparePrecedence(a.route, b.route));

  return {
    functions,
    handle(request) {
      const path = request.url.pathname;
      const matching = functions.flatMap((each) => {
        const parameters = matchRoute(each.route, path);
        return parameters ? [{ ...each, parameters }] : [];
      });
      // A known route under another method is 404 as well, HEAD and OPTIONS included: the host makes the method a part
      // of the route. Source: Azure/azure-functions-host issues 10098 and 11625.
      const allowed = matching.find((each) => each.methods.includes(request.method));
      if (!allowed) return undefined;
      if (!opens(options.keys, allowed.authLevel, givenKey(request))) return Promise.resolve({ status: 401 });
      return run(allowed.name, request, allowed.parameters);
    },
  };

  async function run(name: string, request: Request, parameters: Record<string, string>): Promise<Answer> {
    try {
      const data = { http: toHttpData(request, parameters) };
      return toAnswer((await options.invoke(name, { kind: 'http', data, metadata: {} })).returnValue?.http);
    } catch {
      // The invocation has reported the error; the caller learns only the status, as on Azure.
      return { status: 500 };
    }
  }
}

function httpFunction(metadata: FunctionMetadata, routePrefix: string): HttpFunction[] {
  const binding = Object.values(metadata.bindings).find((each) => each.type.toLowerCase() === 'httptrigger');
  if (!binding) return [];
  const route = typeof binding.route === 'string' ? binding.route : metadata.name;
  const methods = Array.isArray(binding.methods) ? (binding.methods as string[]) : ['GET', 'POST'];
  return [
    {
      name: metadata.name,
      route: parseRoute(`${routePrefix}/${route}`),
      methods: methods.map((method) => method.toUpperCase()),
      authLevel: authLevel(metadata.name, binding.authLevel),
    },
  ];
}

function authLevel(name: string, value: unknown): AuthLevel {
  const level = String(value ?? 'anonymous').toLowerCase();
  if (level === 'anonymous' || level === 'function' || level === 'admin') return level;
  throw new Error(`Function "${name}": unknown authLevel "${String(value)}".`);
}

function toHttpData(request: Request, parameters: Record<string, string>): HttpData {
  const headers = Object.entries(request.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, { value: Array.isArray(value) ? value.join(', ') : value }] as const],
  );
  return {
    method: request.method,
    url: request.url.href,
    nullableHeaders: Object.fromEntries(headers),
    nullableParams: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, { value }])),
    nullableQuery: Object.fromEntries(
      [...new Set(request.url.searchParams.keys())].map((name) => [
        name,
        { value: request.url.searchParams.getAll(name).join(',') },
      ]),
    ),
    ...(request.body.length === 0 ? {} : { body: { bytes: request.body } }),
  };
}

/** No answer at all is 204, as the host makes it. */
function toAnswer(http: HttpData | undefined): Answer {
  if (!http) return { status: 204 };
  const cookies = (http.cookies ?? []).map(cookieText);
  const body = http.body?.bytes ?? http.body?.string ?? http.body?.json ?? '';
  return {
    status: Number(http.statusCode ?? 200),
    headers: { ...http.headers, ...(cookies.length === 0 ? {} : { 'set-cookie': cookies }) },
    body: typeof body === 'string' ? body : Buffer.from(body),
  };
}

function cookieText(cookie: Cookie): string {
  const expires = cookie.expires && new Date(cookie.expires.value.seconds * 1000).toUTCString();
  const sameSite = sameSiteNames[cookie.sameSite ?? 'none'];
  return [
    `${encodeURIComponent(cookie.name)}=${encodeURIComponent(cookie.value)}`,
    ...(cookie.maxAge ? [`Max-Age=${cookie.maxAge.value}`] : []),
    ...(cookie.domain ? [`Domain=${cookie.domain.value}`] : []),
    ...(cookie.path ? [`Path=${cookie.path.value}`] : []),
    ...(expires ? [`Expires=${expires}`] : []),
    ...(cookie.secure?.value ? ['Secure'] : []),
    ...(cookie.httpOnly?.value ? ['HttpOnly'] : []),
    ...(sameSite ? [`SameSite=${sameSite}`] : []),
  ].join('; ');
}

/** `none` on the wire means that the app said nothing. */
const sameSiteNames: Record<string, string> = { strict: 'Strict', lax: 'Lax', explicitNone: 'None' };
