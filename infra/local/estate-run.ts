import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { appSettings } from './app-settings.ts';
import { startControl } from './control/server.ts';
import type { EstateOptions, HostOptions } from './estate-options.ts';
import { type EstateServices, startServices } from './estate-services.ts';
import { createHostProcess, type HostProcess, hostFiles } from './host-process.ts';
import { IDENTITIES } from './identity/registrations.ts';
import { portsFrom } from './ports.ts';
import { inProject } from './project.ts';
import type { Ready } from './ready-file.ts';
import type { Happening } from './story.ts';

/** A running estate. Scenarios, tests and the bench use it in process; everybody else through its addresses. */
export interface RunningEstate extends Omit<EstateServices, 'stop' | 'reset'> {
  ready: Ready;
  /** Absent when the estate was started without one. */
  host: HostProcess | undefined;
  /** Runs a timer function of the app now. Rejects when the host refuses. */
  runTimer(functionName: string): Promise<void>;
  onHappening(listener: (happening: Happening) => void): () => void;
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/** What npm run build makes. */
const BUILT: HostOptions = { directory: inProject('dist', 'local'), appRoot: inProject() };

/**
 * Boots the whole estate on loopback and resolves when the app serves. Rejects with the app's own words when it does not
 * start, after everything else has been stopped again. One estate a process: `Date` follows its clock.
 */
export async function startEstate(options: EstateOptions = {}): Promise<RunningEstate> {
  const listeners = new Set<(happening: Happening) => void>(options.onHappening ? [options.onHappening] : []);
  const happened = (happening: Happening) => {
    for (const listener of listeners) listener(happening);
  };
  let host: HostProcess | undefined;
  const services = await startServices({ ...options, onHappening: happened }, () =>
    host?.isUp ? { url: host.url, key: services.secrets.appKeys.system.eventgrid_extension } : undefined,
  );
  const { estate, identity, storage, topic, mail, hsms, certificates, secrets } = services;
  const ports = portsFrom(options.port ?? 0);
  const clockStory = estate.clock.onMove((offsetMs) => happened({ kind: 'clock', now: estate.clock.now(), offsetMs }));

  const settings = {
    ...appSettings({
      hsms: hsms.map(({ name, uri, resourceId }) => ({ name, uri, resourceId })),
      blobUrl: storage.blobUrl,
      queueUrl: storage.queueUrl,
      topicEndpoint: topic.endpoint,
      landingContainerUrl: `${storage.accounts.landing.blobUrl}/hsm-backups`,
      vaultBlobUrl: storage.accounts.vault.blobUrl,
      managementUrl: services.management.url,
      ...(options.detection
        ? { logs: { endpoint: services.logQueries.url, workspace: services.logQueries.workspaceId } }
        : {}),
      mail,
      ...(options.webhook ? { webhook: { url: services.webhooks.url, secret: secrets.webhookSecret } } : {}),
      api: identity.api,
    }),
    ...options.settings,
  };
  const trust = { NODE_EXTRA_CA_CERTS: certificates.caFile, NO_PROXY: '127.0.0.1,localhost,.managedhsm.azure.net' };
  const hostState = join(services.directory, 'host');
  const hostOptions = options.host ?? (existsSync(hostFiles(BUILT.directory).main) ? BUILT : false);
  if (hostOptions) {
    await mkdir(hostState, { recursive: true });
    host = await createHostProcess({
      ...hostOptions,
      port: ports.host,
      clock: estate.clock,
      stateDirectory: hostState,
      appKeys: secrets.appKeys,
      environment: () => ({ ...trust, ...identity.clientSettings, ...settings }),
      onChange(change) {
        happened({ kind: 'host', change });
        if (change.kind === 'up') topic.hostIsUp().catch((error: unknown) => console.error('Event Grid topic:', error));
      },
    });
  }

  const reset = async () => {
    await host?.stop();
    await rm(hostState, { recursive: true, force: true });
    await services.reset();
    if (host) {
      await mkdir(hostState, { recursive: true });
      await host.start();
    }
  };
  const control = await startControl({
    port: ports.control,
    services,
    host: { host, appKeys: secrets.appKeys, call: services.call },
    ready: () => ({ ...ready, hostPid: host?.pid ?? null }),
    reset,
  });
  const hostUrl = host?.url ?? '';
  const ready: Ready = {
    host: hostUrl,
    dashboard: control.url,
    // HSMs come and go.
    get hsms() {
      return hsms.map(({ name, uri, port, resourceId }) => ({ name, uri, ip: '127.0.0.1', port, resourceId }));
    },
    identity: identity.url,
    logs: services.logQueries.url,
    logsWorkspace: services.logQueries.workspaceId,
    topic: topic.endpoint,
    blob: storage.blobUrl,
    blobLanding: storage.accounts.landing.blobUrl,
    blobVault: storage.accounts.vault.blobUrl,
    management: services.management.url,
    queue: storage.queueUrl,
    mail: mail.url,
    webhook: services.webhooks.url,
    control: control.url,
    caFile: certificates.caFile,
    env: {
      ...trust,
      ...identity.clientSettings,
      ...clientPreload(),
      AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
      AZURE_CLIENT_ID: IDENTITIES.administrator.clientId,
    },
    tokens: await identity.peopleTokens(),
    settings,
    appKeys: secrets.appKeys,
    hostPid: null,
  };

  const stop = async () => {
    clockStory();
    await host?.stop();
    await control.close();
    await services.stop();
  };
  try {
    await host?.start();
  } catch (error) {
    await stop();
    throw error;
  }
  ready.hostPid = host?.pid ?? null;
  const { reset: _reset, stop: _stop, ...parts } = services;
  return {
    ...parts,
    ready,
    host,
    async runTimer(functionName) {
      const reply = await services.call({ method: 'POST', url: `${control.url}/timers/${functionName}/run` });
      if (reply.status >= 300) throw new Error(reply.body.toString('utf8'));
    },
    onHappening(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    reset,
    stop,
  };
}

/** Makes a Node client resolve the names of the HSMs; the file exists once the estate has been built. */
function clientPreload(): Record<string, string> {
  const { preload } = hostFiles(BUILT.directory);
  return existsSync(preload) ? { NODE_OPTIONS: `--import ${pathToFileURL(preload).href}` } : {};
}
