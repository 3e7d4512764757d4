import { request as requestHttp } from 'node:http';
import { Agent, request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';

export interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

export interface Call {
  method: string;
  url: string | URL;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Real milliseconds; default 30 000. */
  timeoutMs?: number;
}

/**
 * Calls one of the estate's own addresses, trusting its authority and resolving its names to loopback. Rejects when no
 * answer came; any HTTP status is an answer.
 */
export type Caller = (call: Call) => Promise<Reply>;

const toLoopback: LookupFunction = (_hostname, options, callback) =>
  options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);

export function createCaller(ca: string): { call: Caller; close(): void } {
  const agent = new Agent({ keepAlive: true, ca });
  const call: Caller = ({ method, url, headers = {}, body = '', timeoutMs = 30_000 }) =>
    new Promise((resolve, reject) => {
      const target = new URL(url);
      const secure = target.protocol === 'https:';
      const sent = (secure ? requestHttps : requestHttp)(
        target,
        {
          method,
          headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
          ...(secure ? { agent } : {}),
          lookup: toLoopback,
          signal: AbortSignal.timeout(timeoutMs),
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', reject);
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
          );
        },
      );
      sent.once('error', reject);
      sent.end(body);
    });
  return { call, close: () => agent.destroy() };
}
