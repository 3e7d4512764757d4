import { type Answer, json, type Request } from '../../http.ts';
import type { Registry, TypedData } from '../core-module.ts';
import type { Invoke } from '../invocation.ts';
import { givenKey, type HostKeys, opensExtension } from '../keys.ts';
import { triggerOf } from './trigger-of.ts';

/**
 * `/runtime/webhooks/EventGrid?functionName=&code=`: both validation handshakes, notifications, unsubscribe.
 * Source: Azure/azure-functions-eventgrid-extension, HttpRequestProcessor.
 */
export function createEventGridWebhook(options: {
  registry: Registry;
  invoke: Invoke;
  keys: HostKeys;
}): (request: Request) => Promise<Answer> {
  return async (request) => {
    if (!opensExtension(options.keys, 'eventgrid_extension', givenKey(request))) return { status: 401 };
    const name = request.url.searchParams.get('functionName') ?? '';
    const found = options.registry.functions.get(name);
    if (!found || triggerOf(found.metadata)?.type.toLowerCase() !== 'eventgridtrigger')
      return { status: 404, body: `cannot find function: '${name}'` };
    if (request.method === 'OPTIONS') return allowCloudEvents(request);
    if (request.method !== 'POST') return { status: 405, headers: { allow: 'POST, OPTIONS' } };
    return receive(request, name);
  };

  async function receive(request: Request, name: string): Promise<Answer> {
    const kind = request.headers['aeg-event-type'];
    const isCloudEvent = /application\/cloudevents(-batch)?\+json/i.test(request.headers['content-type'] ?? '');
    if (kind === 'Unsubscribe') return { status: 202 };
    if (kind !== 'SubscriptionValidation' && kind !== 'Notification' && !isCloudEvent) return { status: 400 };
    const events = readEvents(request);
    if (!events) return { status: 400, body: 'The body is not JSON.' };
    if (kind === 'SubscriptionValidation') return answerValidation(events);
    const runs = await Promise.allSettled(
      events.map((event) => options.invoke(name, { kind: 'eventGrid', ...eventData(event) })),
    );
    // One failure returns the whole request, so events that succeeded come again.
    return runs.some((run) => run.status === 'rejected') ? { status: 500 } : { status: 202 };
  }
}

const allowCloudEvents = (request: Request): Answer => ({
  status: 200,
  headers: {
    'webhook-allowed-origin': String(request.headers['webhook-request-origin'] ?? '*'),
    'webhook-allowed-rate': '*',
  },
});

function answerValidation(events: unknown[]): Answer {
  const [first] = events as { data?: { validationCode?: string } }[];
  const validationResponse = first?.data?.validationCode;
  return validationResponse ? { status: 200, body: { validationResponse } } : { status: 400 };
}

function readEvents(request: Request): unknown[] | undefined {
  try {
    const body = json(request);
    if (body === undefined) return undefined;
    return Array.isArray(body) ? body : [body];
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const eventData = (event: unknown): { data: TypedData; metadata: Record<string, TypedData> } => ({
  data: { string: JSON.stringify(event) },
  metadata: { data: { json: JSON.stringify((event as { data?: unknown } | null)?.data ?? null) } },
});
