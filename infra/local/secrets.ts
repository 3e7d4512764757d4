import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Keys of the function app, as `az functionapp keys list` shows them. */
export interface AppKeys {
  master: string;
  /** Accepted by every function with authLevel `function`. */
  function: string;
  system: { eventgrid_extension: string; durabletask_extension: string };
}

/** Shared secrets of one estate; kept in its state, so that clients know it again after a restart. */
export interface EstateSecrets {
  identityHeader: string;
  topicKey: string;
  appKeys: AppKeys;
  /** Signs calls of the webhook sink; as the Standard Webhooks convention writes it. */
  webhookSecret: string;
}

export async function obtainSecrets(directory: string): Promise<EstateSecrets> {
  const file = join(directory, 'secrets.json');
  const kept = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (kept !== undefined) return JSON.parse(kept) as EstateSecrets;
  const secret = () => randomBytes(32).toString('base64url');
  const made: EstateSecrets = {
    identityHeader: secret(),
    topicKey: secret(),
    appKeys: {
      master: secret(),
      function: secret(),
      system: { eventgrid_extension: secret(), durabletask_extension: secret() },
    },
    webhookSecret: `whsec_${randomBytes(32).toString('base64')}`,
  };
  await writeFile(file, JSON.stringify(made), { mode: 0o600 });
  return made;
}
