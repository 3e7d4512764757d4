import { join } from 'node:path';
import type { EstateClock } from '../clock.ts';
import { createAdmin } from './admin.ts';
import { loadApp } from './app-loader.ts';
import { createCoreModule, injectCoreModule, type Registry } from './core-module.ts';
import { createDurableApi } from './durable/api.ts';
import type { Chaos } from './durable/chaos.ts';
import { type ClientAddresses, clientBinding } from './durable/client-binding.ts';
import { createEngine, type DurableFunctions } from './durable/engine.ts';
import { createManagement } from './durable/management.ts';
import { openStore } from './durable/store.ts';
import { readHostConfig } from './host-config.ts';
import { createHooks, createInvoke } from './invocation.ts';
import { parseHostKeys } from './keys.ts';
import type { Report } from './report.ts';
import { startRpcServer, startServer } from './server.ts';
import type { Settings } from './settings.ts';
import { createEventGridWebhook } from './triggers/event-grid.ts';
import { createHttpTriggers } from './triggers/http.ts';
import { createQueueTriggers } from './triggers/queue.ts';
import { createTimerTriggers } from './triggers/timer.ts';
import { triggerOf } from './triggers/trigger-of.ts';
import { createWorkCount, type Work } from './work.ts';

export interface Host {
  port: number;
  work(): Promise<Work>;
  /** Runs the appTerminate hooks and lets go of ports, timers and queues. */
  stop(): Promise<void>;
}

/**
 * Starts the whole host in this process: loads the app, opens its triggers, takes up unfinished orchestrations. One app
 * a process, because the library remembers the first core module it met. Throws when the app is at fault.
 */
export async function startHost(settings: Settings, clock: EstateClock, report: Report): Promise<Host> {
  const appRoot = required(settings, 'ESTATE_APP_ROOT');
  const stateDir = required(settings, 'ESTATE_STATE_DIR');
  const config = readHostConfig(appRoot, settings);
  const keys = parseHostKeys(settings.ESTATE_HOST_KEYS);
  const chaos = JSON.parse(settings.ESTATE_CHAOS || '{}') as Chaos;
  const log = (level: string, message: string) => report.log(level, 'Host', message);

  const server = await startServer(Number(settings.ESTATE_HOST_PORT ?? 0));
  const { port } = server.listener;
  settings.WEBSITE_HOSTNAME ??= `localhost:${port}`;
  // The durable client speaks HTTP through axios, which would send loopback calls to a proxy.
  settings.NO_PROXY = [settings.NO_PROXY, '127.0.0.1', 'localhost'].filter(Boolean).join(',');
  settings.no_proxy = settings.NO_PROXY;

  const { core, registry } = createCoreModule((level, category, message) => report.log(level, category, message));
  const hooks = createHooks(registry);
  injectCoreModule(core);
  await loadApp(appRoot, registry, hooks);

  let binding = '';
  const work = createWorkCount(
    createInvoke({
      registry,
      hooks,
      report,
      durableClient: () => binding,
      timeoutMs: config.functionTimeoutMs,
    }),
  );
  const { invoke } = work;
  const engine = createEngine({
    store: openStore(join(stateDir, 'durable', `${config.hubName}.jsonl`), {
      fsync: settings.ESTATE_DURABLE_FSYNC === 'true',
    }),
    clock,
    functions: durableFunctions(registry),
    invoke,
    maxConcurrentActivities: config.maxConcurrentActivities,
    maxConcurrentOrchestrators: config.maxConcurrentOrchestrators,
    chaos,
    log: (level, message) => report.log(level, 'Host.Triggers.DurableTask', message),
  });
  const addresses: ClientAddresses = {
    baseUrl: `http://${settings.WEBSITE_HOSTNAME}/runtime/webhooks/durabletask`,
    rpcBaseUrl: '',
    hubName: config.hubName,
    connection: config.storageConnection,
    systemKey: keys.system.durabletask_extension ?? '',
  };
  const durable = createDurableApi(createManagement(engine), addresses);
  const rpc = await startRpcServer(durable.handle);
  addresses.rpcBaseUrl = `http://127.0.0.1:${rpc.port}/durabletask/`;
  binding = clientBinding(addresses);

  const shared = { registry, invoke, keys, settings };
  const http = createHttpTriggers({
    ...shared,
    routePrefix: config.routePrefix,
  });
  const timers = createTimerTriggers({ ...shared, clock, stateDir, log });
  const queues = createQueueTriggers({ ...shared, queues: config.queues, log });
  const origin = `http://${settings.WEBSITE_HOSTNAME}`;
  server.open({
    keys,
    admin: createAdmin({ ...shared, timers, origin, routePrefix: config.routePrefix }),
    eventGrid: createEventGridWebhook(shared),
    durable: durable.handle,
    functions: http.handle,
  });

  engine.resume();
  timers.start();
  queues.start();
  report.ready(port, functionList(registry));

  return {
    port,
    work: () => work.tell(engine, queues),
    async stop() {
      timers.stop();
      await queues.stop();
      await hooks.run('appTerminate', { hookData: {}, appHookData: hooks.appHookData });
      engine.stop();
      await Promise.all([server.listener.close(), rpc.close()]);
    },
  };
}

function required(settings: Settings, name: string): string {
  const value = settings[name];
  if (!value) throw new Error(`The setting ${name} is missing.`);
  return value;
}

const functionList = (registry: Registry): { name: string; type: string }[] =>
  [...registry.functions.values()].map(({ metadata }) => ({
    name: metadata.name,
    type: triggerOf(metadata)?.type ?? '',
  }));

function durableFunctions(registry: Registry): DurableFunctions {
  const named = (type: string) => functionList(registry).flatMap((each) => (each.type === type ? [each.name] : []));
  return {
    orchestrators: named('orchestrationTrigger'),
    activities: named('activityTrigger'),
    entities: named('entityTrigger'),
  };
}
