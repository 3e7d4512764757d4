import type { Estate, Service } from '../estate.ts';
import { type Listener, listen } from '../http.ts';

/** One request that somebody's webhook got. */
export interface WebhookCall {
  id: string;
  /** Estate time. */
  receivedAt: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
  /** The status it was answered with; absent when the connection was cut. */
  status?: number;
}

export interface WebhookSink extends Service {
  readonly calls: readonly WebhookCall[];
}

/**
 * A receiver of signed webhooks that keeps what it gets, signature headers included, and answers 204. It answers the
 * CloudEvents handshake too. Faults meet it as service `webhook`, operation `Receive`, attribute `path`.
 */
export function createWebhookSink(options: {
  estate: Estate;
  port?: number;
  onCall?(call: WebhookCall): void;
}): WebhookSink {
  const { estate, onCall } = options;
  const calls: WebhookCall[] = [];
  let next = 1;
  let listener: Listener | undefined;
  return {
    name: 'webhook',
    get url() {
      return `https://localhost:${listener?.port ?? 0}`;
    },
    calls,
    async start() {
      const handle: Parameters<typeof listen>[0]['handle'] = async (request) => {
        const origin = request.headers['webhook-request-origin'];
        if (request.method === 'OPTIONS' && origin !== undefined) {
          return { status: 200, headers: { 'webhook-allowed-origin': String(origin), allow: 'POST' } };
        }
        const fault = await estate.faults.meet('webhook', 'Receive', { path: request.path });
        if (fault.kind === 'lostReply' && fault.when === 'before') return { destroy: true };
        const call: WebhookCall = {
          id: `webhook-${next++}`,
          receivedAt: estate.clock.now().toISOString(),
          method: request.method,
          path: request.path,
          headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
          body: request.body.toString('utf8'),
        };
        if (fault.kind !== 'lostReply') call.status = fault.kind === 'answer' ? fault.status : 204;
        calls.push(call);
        onCall?.(call);
        if (fault.kind === 'lostReply') return { destroy: true };
        if (fault.kind === 'answer') return { status: fault.status, headers: fault.headers, body: fault.message };
        return { status: 204 };
      };
      listener = await listen({ port: options.port ?? 0, tls: estate.tls, origin: 'https://localhost', handle });
    },
    stop: async () => {
      await listener?.close();
    },
    save: () => ({ next, calls }),
    load(saved) {
      const kept = saved as { next: number; calls: WebhookCall[] };
      next = kept.next;
      calls.splice(0, calls.length, ...kept.calls);
    },
    reset: () => void calls.splice(0),
  };
}
