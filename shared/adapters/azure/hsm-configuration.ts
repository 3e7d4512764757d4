import type { HsmConfiguration } from '../../ports/hsm-configuration.ts';
import type { Identity } from './credentials.ts';
import { clientOptions, type HsmAddress, REPEATING } from './hsm-client.ts';
import { connectHsms, loadAdminClient } from './hsm-connections.ts';

/** Settings of the given HSMs, read as one identity. */
export function createHsmConfiguration(options: {
  hsms: HsmAddress[];
  identity: Identity;
  requestMs?: number;
}): HsmConfiguration {
  const { ask } = connectHsms(options, async (uri, credential) => {
    const { KeyVaultSettingsClient } = await loadAdminClient();
    return new KeyVaultSettingsClient(uri, credential, clientOptions(REPEATING, options.requestMs));
  });
  return {
    settings: (hsm) =>
      ask(hsm, `read the settings of ${hsm}`, async (client) => {
        const { settings } = await client.getSettings();
        return Object.fromEntries(settings.map(({ name, value }) => [name, String(value)]));
      }),
  };
}
