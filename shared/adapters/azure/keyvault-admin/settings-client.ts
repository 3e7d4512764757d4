import type { TokenCredential } from '@azure/identity';
import type {
  BooleanKeyVaultSetting,
  KeyVaultSetting,
  ListSettingsResponse,
  OperationOptions,
  SettingsClientOptions,
} from './models.ts';
import { createTransport, type Transport } from './transport.ts';

interface WireSetting {
  name: string;
  value: string;
  type?: string;
}

/** Settings of a Managed HSM. Booleans are texts on the wire and booleans here. */
export class KeyVaultSettingsClient {
  readonly vaultUrl: string;
  readonly #transport: Transport;

  constructor(vaultUrl: string, credential: TokenCredential, options: SettingsClientOptions = {}) {
    this.vaultUrl = vaultUrl;
    this.#transport = createTransport(vaultUrl, credential, options);
  }

  async getSetting(settingName: string, options?: OperationOptions): Promise<KeyVaultSetting> {
    const { parsedBody } = await this.#transport.send({ method: 'GET', path: pathOf(settingName), options });
    return toSetting(parsedBody as WireSetting);
  }

  async getSettings(options?: OperationOptions): Promise<ListSettingsResponse> {
    const { parsedBody } = await this.#transport.send({ method: 'GET', path: '/settings', options });
    const { settings } = parsedBody as { settings?: WireSetting[] };
    return { settings: (settings ?? []).map(toSetting) };
  }

  async updateSetting({ name, value }: KeyVaultSetting, options?: OperationOptions): Promise<KeyVaultSetting> {
    const { parsedBody } = await this.#transport.send({
      method: 'PATCH',
      path: pathOf(name),
      body: { value: String(value) },
      options,
    });
    return toSetting(parsedBody as WireSetting);
  }
}

export const isBooleanSetting = (setting: KeyVaultSetting): setting is BooleanKeyVaultSetting =>
  setting.kind === 'boolean' && typeof setting.value === 'boolean';

const pathOf = (name: string): string => `/settings/${encodeURIComponent(name)}`;

const toSetting = ({ name, value, type }: WireSetting): KeyVaultSetting => ({
  name,
  value: type === 'boolean' && (value === 'true' || value === 'false') ? value === 'true' : value,
  ...(type === undefined ? {} : { kind: type }),
});
