import * as z from 'zod/mini';
import type { LogTable } from './detection/queries/build-query.ts';
import { isSafeUrl, parseUrl } from './safe-url.ts';
import { Secret } from './secret.ts';

/** The value of a setting's text, or where in the text it is wrong: nowhere in particular, or at these paths of its JSON. */
export type Read<T> = (text: string) => { value: T } | { wrongAt: string[] };

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

const either = <T>(isRight: boolean, value: T) => (isRight ? { value } : { wrongAt: [''] });

export const matching =
  (pattern: RegExp): Read<string> =>
  (text) =>
    either(pattern.test(text), text);

/** As `westeurope`. */
const REGION = /^[a-z0-9]{3,40}$/;
export const region = matching(REGION);

export const text: Read<string> = (given) => either(given.trim() !== '', given.trim());
export const guid = matching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);
export const password: Read<Secret> = (given) => ({ value: new Secret(given) });
/** Six fields, seconds first, as the timer trigger reads them. */
export const schedule = matching(/^([\dA-Za-z*/,-]+ ){5}[\dA-Za-z*/,-]+$/);

export const oneOf =
  <const T extends string>(...names: readonly T[]): Read<T> =>
  (given) => {
    const value = names.find((name) => name === given);
    return value === undefined ? { wrongAt: [''] } : { value };
  };

export const wholeNumber =
  (least: number, most: number): Read<number> =>
  (given) =>
    either(/^\d+$/.test(given) && Number(given) >= least && Number(given) <= most, Number(given));

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');
const isHttps = (url: string): boolean => parseUrl(url)?.protocol === 'https:';
/** https, and plain http to a loopback host. */
export const safe: Read<string> = (url) => either(isSafeUrl(url), withoutSlash(url));
export const https: Read<string> = (url) => either(isHttps(url), withoutSlash(url));
export const httpsWithPath: Read<string> = (url) =>
  either(isHttps(url) && parseUrl(withoutSlash(url))?.pathname !== '/', withoutSlash(url));

const isOrigin = (url: string): boolean =>
  isHttps(url) && new URL(withoutSlash(url)).href === `${new URL(url).origin}/`;

/** The first is where new diagnostic settings write. The compiler holds them to those that there are queries for. */
export const LOG_TABLES = ['AZKVAuditLogs', 'AzureDiagnostics'] as const satisfies readonly LogTable[];
export const logTables: Read<LogTable[]> = (list) => {
  const named = list.split(',').map((name) => name.trim());
  const known = LOG_TABLES.filter((table) => named.includes(table));
  return either(
    named.every((name) => known.some((table) => table === name)),
    named as LogTable[],
  );
};

/** Settings are read at every start, so a schema is made when its setting is given, by the build of zod that leaves out what is not used. */
export const json =
  <T>(schema: () => z.ZodMiniType<T>): Read<T> =>
  (source) => {
    const parsed = parsedJson(source);
    if (parsed === undefined) return { wrongAt: [''] };
    const { data, error } = schema().safeParse(parsed);
    return error ? { wrongAt: error.issues.map(({ path }) => path.join('.')) } : { value: data };
  };

function parsedJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}

const textLike = (pattern: RegExp) => z.string().check(z.regex(pattern));

export const guids = () => z.array(z.guid()).check(z.minLength(1));
export const listOf = (pattern: RegExp) => () => z.array(textLike(pattern));

export const hsms = () =>
  z
    .array(
      z.strictObject({
        name: textLike(/^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$/),
        uri: z.pipe(z.string().check(z.refine(isOrigin)), z.transform(withoutSlash)),
        resourceId: textLike(
          /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.KeyVault\/managedHSMs\/[^/]+$/i,
        ),
        replicated: z.optional(z.boolean()),
      }),
    )
    .check(
      z.minLength(1),
      z.refine((all) => new Set(all.map(({ name }) => name.toLowerCase())).size === all.length),
    );

export const endpoint = () =>
  z.strictObject({
    subnetId: textLike(
      /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Network\/virtualNetworks\/[^/]+\/subnets\/[^/]+$/i,
    ),
    region: textLike(REGION),
    zoneId: z.optional(
      textLike(
        /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Network\/privateDnsZones\/[^/]+$/i,
      ),
    ),
  });

export const alertRules = () =>
  z.array(
    z.strictObject({
      rule: z.string().check(z.minLength(1), z.maxLength(500)),
      hsms: z.optional(z.array(z.string())),
    }),
  );
