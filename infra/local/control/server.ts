import type { EstateServices } from '../estate-services.ts';
import { type Listener, listen } from '../http.ts';
import type { Ready } from '../ready-file.ts';
import { backupRoutes } from './backup-routes.ts';
import { clockRoutes } from './clock-routes.ts';
import { faultRoutes } from './fault-routes.ts';
import { type HostControl, hostRoutes } from './host-routes.ts';
import { hsmRoutes } from './hsm-routes.ts';
import { logRoutes } from './log-routes.ts';
import { indexPage } from './page.ts';
import { Problem, problemAnswer } from './problem.ts';
import { recordRoutes } from './record-routes.ts';
import { answerBy, type Route } from './routes.ts';

export interface ControlOptions {
  port?: number;
  services: EstateServices;
  host: HostControl;
  ready(): Ready;
  reset(): Promise<void>;
}

/** The control surface: plain http on its own address, never on an emulated one. */
export async function startControl({
  port = 0,
  services,
  host,
  ready,
  reset,
}: ControlOptions): Promise<{ url: string } & Listener> {
  const routes: Route[] = [
    { method: 'GET', path: '/ready', purpose: 'What the ready file holds.', act: ready },
    ...clockRoutes(services.estate.clock),
    ...faultRoutes(services.estate.faults),
    ...hostRoutes(host),
    ...hsmRoutes(services),
    ...backupRoutes(services),
    ...recordRoutes(services),
    ...logRoutes(services),
    {
      method: 'POST',
      path: '/reset',
      purpose: 'Back to the seed: keys, storage, records, faults, clock and the host’s memory.',
      act: reset,
    },
  ];
  const listener = await listen({
    port,
    origin: 'http://127.0.0.1',
    async handle(request) {
      if (request.method === 'GET' && request.path === '/') {
        const body = indexPage(routes, ready());
        return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body };
      }
      try {
        return await answerBy(routes, request);
      } catch (error) {
        if (error instanceof Problem) return problemAnswer(error);
        return problemAnswer(
          new Problem(500, 'ERR_ESTATE', error instanceof Error ? (error.stack ?? error.message) : String(error)),
        );
      }
    },
  });
  return { ...listener, url: `http://127.0.0.1:${listener.port}` };
}
