import { rename, writeFile } from 'node:fs/promises';
import type { PersonName } from './identity/registrations.ts';
import type { AppKeys } from './secrets.ts';

/** What `--ready-file` holds once everything is up: all that a client of the estate needs. */
export interface Ready {
  host: string;
  dashboard: string;
  hsms: { name: string; uri: string; ip: string; port: number; resourceId: string }[];
  identity: string;
  /** The log query API, version included, as a client takes it for its endpoint; and the workspace to ask. */
  logs: string;
  logsWorkspace: string;
  topic: string;
  /** Blob services: the state account, the one HSMs write backups to, the one that keeps the copies. */
  blob: string;
  blobLanding: string;
  blobVault: string;
  /** Azure Resource Manager, as far as Managed HSMs go. */
  management: string;
  queue: string;
  mail: string;
  webhook: string;
  control: string;
  caFile: string;
  /** Environment of a client process: trust, identity endpoint, and which identity to be. */
  env: Record<string, string>;
  tokens: Record<PersonName, string>;
  /** App settings that the host runs with. */
  settings: Record<string, string>;
  appKeys: AppKeys;
  hostPid: number | null;
}

/** Written in one step, so that whoever waits for the file never reads half of it. */
export async function writeReadyFile(path: string, ready: Ready): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(ready, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
