import * as z from 'zod';
import type { Caller } from '../call.ts';
import type { HostProcess } from '../host-process.ts';
import type { AppKeys } from '../secrets.ts';
import { Problem, parseBody } from './problem.ts';
import type { Route } from './routes.ts';

const killInput = z.strictObject({
  signal: z.enum(['SIGKILL', 'SIGTERM', 'SIGINT'], { error: 'is SIGKILL, SIGTERM or SIGINT' }).default('SIGKILL'),
});

export interface HostControl {
  host: HostProcess | undefined;
  appKeys: AppKeys;
  call: Caller;
}

export function hostRoutes({ host, appKeys, call }: HostControl): Route[] {
  const present = (): HostProcess => {
    if (host) return host;
    throw new Problem(409, 'ERR_NO_HOST', 'This estate runs without a Functions host.');
  };
  const state = () => ({
    up: present().isUp,
    url: present().url,
    pid: present().pid ?? null,
    functions: present().functions,
  });
  return [
    { method: 'GET', path: '/host', purpose: 'Whether the Functions host is up, and what it serves.', act: state },
    {
      method: 'POST',
      path: '/host/kill',
      purpose: 'Kills the Functions host and leaves it down.',
      example: { signal: 'SIGKILL' },
      async act({ body }) {
        await present().kill(parseBody(killInput, body()).signal);
        return state();
      },
    },
    {
      method: 'POST',
      path: '/host/restart',
      purpose: 'Starts the Functions host again, ending it first if it runs.',
      async act() {
        await present().restart();
        return state();
      },
    },
    {
      method: 'POST',
      path: '/timers/{function}/run',
      purpose: 'Runs a timer function now, as the admin endpoint of the Functions host does.',
      async act({ params }) {
        const reply = await call({
          method: 'POST',
          url: `${present().url}/admin/functions/${encodeURIComponent(params.function ?? '')}`,
          headers: { 'content-type': 'application/json', 'x-functions-key': appKeys.master },
          body: '{}',
        }).catch((error: unknown) => {
          throw new Problem(502, 'ERR_HOST', `The host did not answer: ${String(error)}`);
        });
        if (reply.status === 404)
          throw new Problem(404, 'ERR_NOT_FOUND', `The app has no function ${params.function}.`);
        if (reply.status >= 300) throw new Problem(502, 'ERR_HOST', `The host answered ${reply.status}.`);
        return { function: params.function, status: reply.status };
      },
    },
  ];
}
