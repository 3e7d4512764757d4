import { type Answer, type Listener, listen, type Request } from '../http.ts';
import { givenKey, type HostKeys, opensExtension } from './keys.ts';

/** Where the host's own routes lead; anything else is a function's. */
export interface Routes {
  admin(request: Request): Answer | Promise<Answer>;
  eventGrid(request: Request): Promise<Answer>;
  durable(request: Request, path: string): Promise<Answer>;
  functions(request: Request): Promise<Answer> | undefined;
  keys: HostKeys;
}

const DURABLE = '/runtime/webhooks/durabletask/';

/** Listens before the app is loaded, because the app may read its own address; answers 503 until `open`. */
export async function startServer(port: number): Promise<{ listener: Listener; open(routes: Routes): void }> {
  let routes: Routes | undefined;
  const listener = await listen({
    port,
    origin: `http://localhost:${port}`,
    handle: async (request) =>
      routes ? dispatch(routes, request) : { status: 503, body: 'Function host is not running.' },
  });
  return {
    listener,
    open(given) {
      routes = given;
    },
  };
}

async function dispatch(routes: Routes, given: Request): Promise<Answer> {
  const request = withOwnOrigin(given);
  const path = request.path.toLowerCase();
  if (path === '/') return { status: 200, body: 'Your Functions 4.0 app is up and running' };
  if (path.startsWith('/admin/')) return routes.admin(request);
  if (path === '/runtime/webhooks/eventgrid') return routes.eventGrid(request);
  if (path.startsWith(DURABLE)) {
    if (!opensExtension(routes.keys, 'durabletask_extension', givenKey(request))) return { status: 401 };
    return routes.durable(request, request.path.slice(DURABLE.length));
  }
  return (await routes.functions(request)) ?? { status: 404 };
}

/** The URL as the caller wrote it: with a free port, the listener could not know its own address beforehand. */
function withOwnOrigin(request: Request): Request {
  const host = request.headers.host;
  if (!host) return request;
  const url = new URL(request.url);
  url.host = host;
  return { ...request, url };
}

/**
 * The durable RPC endpoint, without a key: 17071, or a random port in 30000-31000 when that is taken.
 * Source: LocalHttpListener.cs of the durable extension.
 */
export async function startRpcServer(handle: (request: Request, path: string) => Promise<Answer>): Promise<Listener> {
  const prefix = '/durabletask/';
  const ports = [17_071, ...Array.from({ length: 20 }, () => 30_000 + Math.floor(Math.random() * 1_001))];
  for (const port of ports) {
    try {
      return await listen({
        port,
        origin: `http://127.0.0.1:${port}`,
        handle: async (request) =>
          request.path.startsWith(prefix) ? handle(request, request.path.slice(prefix.length)) : { status: 404 },
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  throw new Error('No free port for the durable RPC endpoint.');
}
