import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import type { Tls } from '../estate.ts';

export interface UpstreamCall {
  method: string;
  /** Path and query. */
  path: string;
  headers: IncomingHttpHeaders | Record<string, string>;
  /** Streamed as it comes; absent: no body. */
  body?: Readable;
}

/** Azurite behind a proxy, and other addresses of the estate as sources of a copy. */
export interface Upstream {
  /** Resolves with the answer's head; its body is still to be read. */
  send(call: UpstreamCall): Promise<IncomingMessage>;
  /** A source of a copy, by its own address. */
  fetch(url: URL, headers: Record<string, string>): Promise<IncomingMessage>;
  close(): void;
}

export function createUpstream({ port, tls }: { port: number; tls: Tls }): Upstream {
  const agent = new Agent({ keepAlive: true, maxSockets: 64, ca: tls.ca, servername: 'localhost' });
  const exchange = (options: RequestOptions, body?: Readable): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const sent = request({ ...options, agent }, resolve);
      sent.once('error', reject);
      if (body) pipeline(body, sent, (error) => error && sent.destroy(error));
      else sent.end();
    });
  return {
    send: ({ method, path, headers, body }) => exchange({ host: '127.0.0.1', port, method, path, headers }, body),
    fetch: (url, headers) =>
      exchange({ host: '127.0.0.1', port: url.port, method: 'GET', path: `${url.pathname}${url.search}`, headers }),
    close: () => agent.destroy(),
  };
}
