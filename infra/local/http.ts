import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Tls } from './estate.ts';

/** One request, read whole, with the address taken apart. */
export interface Request {
  method: string;
  url: URL;
  /** Path with empty segments removed: the SDKs produce `/keys/name//sign` and `///providers/…`. */
  path: string;
  headers: IncomingMessage['headers'];
  body: Buffer;
  remoteAddress: string;
  raw: IncomingMessage;
}

/** `destroy: true` cuts the connection without an answer. */
export type Answer =
  | { status: number; headers?: Record<string, string | string[]>; body?: unknown; destroy?: false }
  | { destroy: true };

export interface Listener {
  port: number;
  close(): Promise<void>;
}

let inHand = 0;

/** Requests that the services of this process work on, those as well whose callers no longer wait or live. */
export const requestsInHand = (): number => inHand;

/** Serves `handle` on loopback. A string or Buffer body is sent as it is, anything else as compact JSON. */
export async function listen(options: {
  port?: number;
  tls?: Tls;
  origin: string;
  handle(request: Request): Promise<Answer>;
}): Promise<Listener> {
  const onRequest = (req: IncomingMessage, res: ServerResponse) => {
    inHand += 1;
    readBody(req)
      .then(async (body) => {
        // A leading `//`, which SDKs produce for scope `/`, would otherwise be read as a host name.
        const url = new URL((req.url ?? '/').replace(/^\/+/, '/'), options.origin);
        const path = url.pathname.replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
        const remoteAddress = req.socket.remoteAddress ?? '127.0.0.1';
        send(
          res,
          await options.handle({
            method: req.method ?? 'GET',
            url,
            path,
            headers: req.headers,
            body,
            remoteAddress,
            raw: req,
          }),
        );
      })
      .catch((error: unknown) => {
        if (res.headersSent || res.destroyed) return res.destroy();
        send(res, {
          status: 500,
          body: { error: { code: 'EstateFault', message: String(error instanceof Error ? error.stack : error) } },
        });
      })
      .finally(() => {
        inHand -= 1;
      });
  };
  const server: Server = options.tls
    ? createHttpsServer({ cert: options.tls.cert, key: options.tls.key }, onRequest)
    : createHttpServer(onRequest);
  return listening(server, options.port);
}

/** Binds a server to loopback; closing ends its connections as well. */
export async function listening(server: Server, port = 0): Promise<Listener> {
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The body as JSON; undefined when empty. Throws SyntaxError when it is not JSON. */
export const json = (request: Request): unknown =>
  request.body.length === 0 ? undefined : JSON.parse(request.body.toString('utf8'));

async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function send(res: ServerResponse, answer: Answer): void {
  if (answer.destroy) {
    res.destroy();
    return;
  }
  const raw = typeof answer.body === 'string' || Buffer.isBuffer(answer.body);
  const body = answer.body === undefined ? '' : raw ? (answer.body as string | Buffer) : JSON.stringify(answer.body);
  res.writeHead(answer.status, {
    ...(raw || answer.body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    'content-length': String(Buffer.byteLength(body)),
    ...answer.headers,
  });
  res.end(body);
}
