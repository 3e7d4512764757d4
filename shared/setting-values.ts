import type { LogTable } from './detection/queries/build-query.ts';
import { boolean, listOf, matching, maybe, members, type Read, text } from './readers.ts';
import { isSafeUrl, parseUrl } from './safe-url.ts';
import { Secret } from './secret.ts';

/** What the settings of this app may be. */

/** What a fault shows of a setting. */
export interface Documented {
  rule: string;
  example: string;
}

export interface Setting<T> extends Documented {
  read: Read<T>;
  required: boolean;
  /** What stands where nothing is set. */
  absent?: T;
}

export const required = <T>(read: Read<T>, documented: Documented): Setting<T> => ({
  read,
  required: true,
  ...documented,
});
export const optional = <T>(read: Read<T>, documented: Documented): Setting<T | undefined> => ({
  read,
  required: false,
  ...documented,
});
export const withDefault = <T>(read: Read<T>, absent: NoInfer<T>, documented: Documented): Setting<T> => ({
  read,
  required: false,
  absent,
  ...documented,
});

/** As `westeurope`. */
export const region = matching(/^[a-z0-9]{3,40}$/);
export const guid = matching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);
export const line: Read<string> = text(
  (given) => given.trim() !== '',
  (given) => given.trim(),
);
export const password: Read<Secret> = text(
  (given) => given !== '',
  (given) => new Secret(given),
);
/** Six fields, seconds first, as the timer trigger reads them. */
export const schedule = matching(/^([\dA-Za-z*/,-]+ ){5}[\dA-Za-z*/,-]+$/);

export const wholeNumber = (least: number, most: number): Read<number> =>
  text((given) => /^\d+$/.test(given) && Number(given) >= least && Number(given) <= most, Number);

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');
const isHttps = (url: string): boolean => parseUrl(url)?.protocol === 'https:';
const isOrigin = (url: string): boolean => parseUrl(withoutSlash(url))?.href === `${parseUrl(url)?.origin}/`;
/** https, and plain http to a loopback host. */
export const safe = text(isSafeUrl, withoutSlash);
export const https = text(isHttps, withoutSlash);
export const httpsWithPath = text((url) => isHttps(url) && parseUrl(withoutSlash(url))?.pathname !== '/', withoutSlash);

/** The first is where new diagnostic settings write. The compiler holds them to those that there are queries for. */
export const LOG_TABLES = ['AZKVAuditLogs', 'AzureDiagnostics'] as const satisfies readonly LogTable[];
const namesIn = (list: string): string[] => list.split(',').map((name) => name.trim());
export const logTables: Read<LogTable[]> = text(
  (list) => namesIn(list).every((name) => LOG_TABLES.some((table) => table === name)),
  (list) => namesIn(list) as LogTable[],
);

/** The id of a resource of a type, as `Microsoft.KeyVault/managedHSMs`; of an inner one with the type of each level. */
function resourceId(provider: string, ...types: string[]): Read<string> {
  const levels = types.map((type) => `/${type}/[^/]+`).join('');
  return matching(
    new RegExp(`^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/${provider.replace('.', '\\.')}${levels}$`, 'i'),
  );
}

export const guids = listOf(guid, (all) => all.length > 0);
export const textsLike = (pattern: RegExp) => listOf(matching(pattern));

export const hsms = listOf(
  members({
    name: matching(/^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$/),
    uri: text((uri) => isHttps(uri) && isOrigin(uri), withoutSlash),
    resourceId: resourceId('Microsoft.KeyVault', 'managedHSMs'),
    replicated: maybe(boolean),
  }),
  (all) => all.length > 0 && new Set(all.map(({ name }) => name.toLowerCase())).size === all.length,
);

export const endpoint = members({
  subnetId: resourceId('Microsoft.Network', 'virtualNetworks', 'subnets'),
  region,
  zoneId: maybe(resourceId('Microsoft.Network', 'privateDnsZones')),
});

export const alertRules = listOf(
  members({
    rule: text(({ length }) => length > 0 && length <= 500),
    hsms: maybe(listOf(text(() => true))),
  }),
);
