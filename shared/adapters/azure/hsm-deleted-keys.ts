import { hasCode } from '../../errors.ts';
import { keyLabel } from '../../keys/key.ts';
import type { HsmDeletedKeys } from '../../ports/hsm-deleted-keys.ts';
import type { Identity } from './credentials.ts';
import { clientOptions, type HsmAddress, REPEATING } from './hsm-client.ts';
import { connectHsms } from './hsm-connections.ts';

/** Deleted keys of the given HSMs, read as one identity. */
export function createHsmDeletedKeys(options: {
  hsms: HsmAddress[];
  identity: Identity;
  requestMs?: number;
}): HsmDeletedKeys {
  const { ask } = connectHsms(options, async (uri, credential) => {
    const { KeyClient } = await import('@azure/keyvault-keys');
    return new KeyClient(uri, credential, clientOptions(REPEATING, options.requestMs));
  });
  return {
    async read(key) {
      try {
        const { properties } = await ask(key.hsm, `look for a deleted key ${keyLabel(key)}`, (client) =>
          client.getDeletedKey(key.name),
        );
        const { scheduledPurgeDate, recoveryLevel } = properties;
        return {
          ...(scheduledPurgeDate ? { purgeOn: scheduledPurgeDate.toISOString() } : {}),
          // `Recoverable+Purgeable` and its customised form may be purged; every other level forbids it.
          protected: !(recoveryLevel ?? '').includes('Purgeable'),
        };
      } catch (error) {
        if (hasCode(error, 'ERR_NOT_FOUND')) return undefined;
        throw error;
      }
    },
  };
}
