import { timingSafeEqual } from 'node:crypto';

/** The host's access keys; on Azure they live in the host's storage account. */
export interface HostKeys {
  master: string;
  function: string;
  system: Record<string, string>;
}

/** Reads ESTATE_HOST_KEYS. Throws when a key that the extensions need is missing. */
export function parseHostKeys(text: string | undefined): HostKeys {
  const keys = JSON.parse(text ?? '{}') as Partial<HostKeys>;
  const missing = [
    ...(keys.master ? [] : ['master']),
    ...(keys.function ? [] : ['function']),
    ...['eventgrid_extension', 'durabletask_extension']
      .filter((name) => !keys.system?.[name])
      .map((name) => `system.${name}`),
  ];
  if (missing.length > 0) throw new Error(`ESTATE_HOST_KEYS lacks ${missing.join(', ')}.`);
  return keys as HostKeys;
}

export type AuthLevel = 'anonymous' | 'function' | 'admin';

/** The key of a request: the header wins over the query. */
export const givenKey = (request: { headers: Record<string, unknown>; url: URL }): string | undefined => {
  const header = request.headers['x-functions-key'];
  return typeof header === 'string' ? header : (request.url.searchParams.get('code') ?? undefined);
};

/** Whether the key opens that level. The master key opens all of them. */
export function opens(keys: HostKeys, level: AuthLevel, given: string | undefined): boolean {
  if (level === 'anonymous') return true;
  return same(keys.master, given) || (level === 'function' && same(keys.function, given));
}

/** Whether the key opens an extension's webhook. */
export const opensExtension = (keys: HostKeys, extension: string, given: string | undefined): boolean =>
  same(keys.master, given) || same(keys.system[extension] ?? '', given);

function same(expected: string, given: string | undefined): boolean {
  if (given === undefined || expected === '') return false;
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
