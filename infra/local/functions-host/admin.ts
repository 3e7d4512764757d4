import { type Answer, json, type Request } from '../http.ts';
import type { Registry } from './core-module.ts';
import type { Invoke } from './invocation.ts';
import { givenKey, type HostKeys, opens } from './keys.ts';
import type { TimerTriggers } from './triggers/timer.ts';
import { triggerOf } from './triggers/trigger-of.ts';

/** The host's admin API below `/admin/`; every call needs the master key. */
export function createAdmin(options: {
  registry: Registry;
  invoke: Invoke;
  keys: HostKeys;
  timers: TimerTriggers;
  origin: string;
  routePrefix: string;
}): (request: Request) => Answer {
  const { registry, origin } = options;
  const began = performance.now();

  return (request) => {
    if (!opens(options.keys, 'admin', givenKey(request))) return { status: 401 };
    const [, area, name] = request.path.split('/').filter(Boolean).map(decodeURIComponent);
    if (area === 'host' && name === 'status' && request.method === 'GET') return { status: 200, body: status() };
    if (area === 'host' && name === 'ping') return { status: 200 };
    if (area !== 'functions') return { status: 404 };
    if (!name) return request.method === 'GET' ? { status: 200, body: functions() } : { status: 405 };
    if (!registry.functions.has(name)) return { status: 404 };
    return request.method === 'POST' ? start(request, name) : { status: 405 };
  };

  function status(): unknown {
    return {
      id: 'embedded-estate',
      state: 'Running',
      version: '4.1052.200',
      processUptime: Math.round(performance.now() - began),
    };
  }

  function functions(): unknown[] {
    return [...registry.functions.values()].map(({ metadata }) => ({
      name: metadata.name,
      href: `${origin}/admin/functions/${metadata.name}`,
      language: 'node',
      isDisabled: false,
      ...(triggerOf(metadata)?.type === 'httpTrigger'
        ? {
            invoke_url_template: `${origin}/${options.routePrefix}/${String(triggerOf(metadata)?.route ?? metadata.name)}`,
          }
        : {}),
      config: { bindings: Object.entries(metadata.bindings).map(([key, binding]) => ({ name: key, ...binding })) },
    }));
  }

  /** Answers at once; the outcome is in the log, as on Azure. `input` is what the trigger would have carried. */
  function start(request: Request, name: string): Answer {
    const body = readBody(request);
    if (!body) return { status: 400 };
    const run = options.timers.names.includes(name)
      ? options.timers.runNow(name)
      : options.invoke(name, { kind: 'admin', data: { string: textOf(body.input) }, metadata: {} });
    void Promise.resolve(run).catch(() => 'reported by the invocation');
    return { status: 202 };
  }
}

const textOf = (input: unknown): string => (typeof input === 'string' ? input : JSON.stringify(input ?? ''));

function readBody(request: Request): { input?: unknown } | undefined {
  try {
    return (json(request) ?? {}) as { input?: unknown };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
