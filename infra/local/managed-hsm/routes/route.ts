import type { Principal } from '../../estate.ts';
import type { Request } from '../../http.ts';
import type { RateClass } from '../limits.ts';

/** One authenticated call, as a route sees it. */
export interface Call {
  request: Request;
  /** Decoded path parameters. */
  params: Record<string, string>;
  principal: Principal;
  /** The body as a JSON object. Throws 400 when it is none. */
  body(): Record<string, unknown>;
  /** A misbehaviour asked for through the control surface. */
  effect: string | undefined;
  /** What the audit row says beyond the route; `key` and `version` become its `id`. */
  audit: { key?: string; version?: string; algorithm?: string };
}

export interface Reply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/keys/:name/versions`. The first route that matches wins, so literal paths come before parameters. */
  path: string;
  /** Operation name of the audit row and of faults. */
  operation: string;
  /** Without the prefix `Microsoft.KeyVault/managedHsm/`. */
  dataAction: string;
  scope(params: Record<string, string>): string;
  rate?: RateClass;
  /** Answered while a restore runs; every other route then refuses. */
  duringRestore?: true;
  /** Answered before the HSM is activated; every other route then refuses. */
  beforeActivation?: true;
  /** Status URLs of long-running operations are given out without an api-version. */
  withoutApiVersion?: true;
  handle(call: Call): Reply | Promise<Reply>;
}

export interface MatchedRoute {
  route: Route;
  params: Record<string, string>;
}

/** Finds the route of a request by method and path. */
export function createRouter(
  routes: () => readonly Route[],
): (method: string, path: string) => MatchedRoute | undefined {
  const patterns = new WeakMap<Route, RegExp>();
  const patternOf = (route: Route) => {
    const known = patterns.get(route);
    if (known) return known;
    const made = new RegExp(`^${route.path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`, 'i');
    patterns.set(route, made);
    return made;
  };
  return (method, path) => {
    for (const route of routes()) {
      const match = route.method === method ? patternOf(route).exec(path) : null;
      if (!match) continue;
      const entries = Object.entries(match.groups ?? {});
      return { route, params: Object.fromEntries(entries.map(([name, value]) => [name, decodeURIComponent(value)])) };
    }
    return undefined;
  };
}

export const ok = (body: unknown): Reply => ({ status: 200, body });

export const atHsm = () => '/';
export const atKeys = () => '/keys';
export const atKey = (params: Record<string, string>) => `/keys/${params.name ?? ''}`;
