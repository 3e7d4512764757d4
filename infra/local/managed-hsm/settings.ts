import { HsmError } from './errors.ts';

/** Name to value; values are strings on the wire, booleans too. */
export type SavedSettings = Record<string, string>;

/** The one known setting, off by default. Source: managed-hsm/authorize-azure-resource-manager. */
const DEFAULTS: SavedSettings = { AllowKeyManagementOperationsThroughARM: 'false' };

export interface Settings {
  list(): Record<string, string>[];
  get(name: string): Record<string, string>;
  set(name: string, value: string): Record<string, string>;
  save(): SavedSettings;
  load(saved: SavedSettings): void;
}

export function createSettings(): Settings {
  let values = { ...DEFAULTS };
  const shown = (name: string) => ({ name, type: 'boolean', value: values[name] ?? '' });
  const check = (name: string, verb: string) => {
    // Source of the text, for update: Azure/azure-sdk-assets, TestUpdateSetting_InvalidSettingName.
    const text = `Invalid setting name. Please check the spelling of the setting name to ${verb}.`;
    if (!(name in values)) throw new HsmError(400, 'InvalidSetting', text);
  };
  return {
    list: () => Object.keys(values).map(shown),
    get(name) {
      check(name, 'get');
      return shown(name);
    },
    set(name, value) {
      check(name, 'update');
      if (value !== 'true' && value !== 'false') {
        throw new HsmError(400, 'InvalidSetting', `The value of ${name} must be "true" or "false".`);
      }
      values[name] = value;
      return shown(name);
    },
    save: () => ({ ...values }),
    load: (saved) => {
      values = { ...DEFAULTS, ...saved };
    },
  };
}
