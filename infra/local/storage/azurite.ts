import { mkdir } from 'node:fs/promises';
import Module, { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Tls } from '../estate.ts';
import { azuriteAccounts } from './accounts.ts';

/** Azurite's two services, listening on loopback over https. */
export interface Azurite {
  blobPort: number;
  queuePort: number;
  stop(): Promise<void>;
}

interface AzuriteServer {
  start(): Promise<void>;
  close(): Promise<void>;
  httpServer: { address(): AddressInfo };
}
type Constructor<T> = new (...args: unknown[]) => T;

const require = createRequire(import.meta.url);

export type AzuriteParts = ReturnType<typeof loadAzurite>;

/** Starts Azurite in this process, so that its lease and token times follow `Date`. In memory without a directory. */
export async function startAzurite(
  parts: AzuriteParts,
  { tls, directory }: { tls: Tls; directory?: string },
): Promise<Azurite> {
  process.env.AZURITE_ACCOUNTS = azuriteAccounts();
  if (directory !== undefined) await mkdir(directory, { recursive: true });
  // One store for each estate: Azurite's own is shared by the whole process.
  const memory = new parts.MemoryStore();
  const start = async (service: 'blob' | 'queue') => {
    const at = (name: string) => join(directory ?? '', `${service}-${name}`);
    const configuration = new parts[service].Configuration(
      '127.0.0.1',
      0,
      3600, // Keep-alive in seconds: the proxy in front holds its connections.
      at('metadata.json'),
      at('extents.json'),
      [{ locationId: 'Default', locationPath: at('content'), maxConcurrency: 50 }],
      false, // no access log
      undefined,
      false, // no debug log
      undefined,
      false, // strict
      true, // The SDKs speak newer versions of the protocol than Azurite knows by name.
      'server.pem',
      'server.key',
      '',
      'basic',
      false,
      directory === undefined,
      memory,
    );
    // In place of reading the two named files.
    const getCert = () => ({ cert: tls.cert, key: tls.key });
    const server = new parts[service].Server(Object.assign(configuration as object, { getCert }));
    await server.start();
    return server;
  };
  const servers = await Promise.all([start('blob'), start('queue')]);
  return {
    blobPort: servers[0].httpServer.address().port,
    queuePort: servers[1].httpServer.address().port,
    stop: async () => void (await Promise.all(servers.map((server) => server.close()))),
  };
}

// Telemetry and SQL persistence: two thirds of Azurite's load time, and of no use here.
const UNUSED = new Set(['applicationinsights', 'sequelize', 'mysql2', 'tedious']);

/** A class of which every property is itself: enough for declarations that extend or name the types of those packages. */
const standIn: unknown = new Proxy(class Unused {}, {
  get: (target, property) => (property === 'prototype' ? target.prototype : standIn),
});

/**
 * Azurite's constructors. They are internal, which is why package.json pins the version; when this throws all the same,
 * startAzuriteChild serves.
 */
export function loadAzurite() {
  const load = (path: string) => require(`azurite/dist/src/${path}`);
  const original = Module.prototype.require;
  Module.prototype.require = new Proxy(original, {
    apply: (target, self, args: [string]) => (UNUSED.has(args[0]) ? standIn : Reflect.apply(target, self, args)),
  });
  try {
    const service = (folder: string, name: string) => ({
      Server: load(`${folder}/${name}Server`).default as Constructor<AzuriteServer>,
      Configuration: load(`${folder}/${name}Configuration`).default as Constructor<unknown>,
    });
    return {
      blob: service('blob', 'Blob'),
      queue: service('queue', 'Queue'),
      MemoryStore: load('common/persistence/MemoryExtentStore').MemoryExtentChunkStore as Constructor<unknown>,
    };
  } finally {
    Module.prototype.require = original;
  }
}
