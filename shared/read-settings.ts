import type { Documented, Setting } from './setting-values.ts';
import { SETTING_NAMES, type SettingName, type Settings, settings } from './settings.ts';

export interface SettingFault extends Documented {
  setting: string;
}

/** As the environment has them: those with our prefix that are not empty. */
export type GivenSettings = Record<string, string | undefined>;

/** Each setting by itself. Faults never show the value that was found. */
export function readSettings(given: GivenSettings): { found: Partial<Settings>; faults: SettingFault[] } {
  const found: Record<string, unknown> = {};
  const faults: SettingFault[] = [];
  for (const name of SETTING_NAMES) {
    const { read, required, absent }: Setting<unknown> = settings[name];
    const text = given[name];
    if (text === undefined) {
      if (required) faults.push(fault(name));
      found[name] = absent;
      continue;
    }
    const result = read(text);
    if ('value' in result) found[name] = result.value;
    else faults.push(...result.wrongAt.map((path) => fault(name, path === '' ? '' : `At ${path}: `)));
  }
  return { found, faults };
}

export function fault(setting: SettingName, where = ''): SettingFault {
  const { rule, example } = settings[setting];
  return { setting, rule: `${where}${rule}`, example };
}

/** Names that no setting has, each with the one that was probably meant. */
export const unknownNames = (given: GivenSettings, prefix: string): SettingFault[] =>
  Object.keys(given)
    .filter((name) => !SETTING_NAMES.some((known) => known === name))
    .map((setting) => ({
      setting,
      rule: `No setting has this name; the prefix ${prefix} is reserved.`,
      example: nearestName(setting),
    }));

/** The setting that shares the longest beginning with a misspelt one. */
function nearestName(misspelt: string): string {
  const sharedLength = (name: string) => {
    let length = 0;
    while (length < name.length && name[length] === misspelt[length]) length++;
    return length;
  };
  return SETTING_NAMES.toSorted((a, b) => sharedLength(b) - sharedLength(a))[0] ?? '';
}
