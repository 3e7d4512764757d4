/**
 * Reads of outside values, for what is loaded at start: settings are judged before anything else is, and what a library of
 * schemas takes to load was a tenth of a cold start. Everything that arrives later is parsed by zod.
 */

/** The value, or where it is wrong: paths inside of it, an empty one for the whole. */
export type Found<T> = { value: T } | { wrongAt: string[] };
export type Read<T> = (given: unknown) => Found<T>;
/** What a reader finds. */
export type ValueOf<R> = R extends Read<infer T> ? T : never;

const WRONG = { wrongAt: [''] };

const inside = (place: string | number, wrongAt: string[]): string[] =>
  wrongAt.map((path) => (path === '' ? `${place}` : `${place}.${path}`));

/** A text that is right, as it is or as `as` makes of it. */
export function text(isRight: (given: string) => boolean): Read<string>;
export function text<T>(isRight: (given: string) => boolean, as: (given: string) => T): Read<T>;
export function text(isRight: (given: string) => boolean, as = (given: string): unknown => given): Read<unknown> {
  return (given) => (typeof given === 'string' && isRight(given) ? { value: as(given) } : WRONG);
}

export const matching = (pattern: RegExp): Read<string> => text((given) => pattern.test(given));

export const oneOf =
  <const T extends string>(...names: readonly T[]): Read<T> =>
  (given) => {
    const value = names.find((name) => name === given);
    return value === undefined ? WRONG : { value };
  };

export const boolean: Read<boolean> = (given) => (typeof given === 'boolean' ? { value: given } : WRONG);

/** May be left out. */
export const maybe =
  <T>(read: Read<T>): Read<T | undefined> =>
  (given) =>
    given === undefined ? { value: undefined } : read(given);

export const listOf =
  <T>(each: Read<T>, isRight: (all: T[]) => boolean = () => true): Read<T[]> =>
  (given) => {
    if (!Array.isArray(given)) return WRONG;
    const all: T[] = [];
    const wrongAt: string[] = [];
    for (const [index, one] of given.entries()) {
      const found = each(one);
      if ('value' in found) all.push(found.value);
      else wrongAt.push(...inside(index, found.wrongAt));
    }
    if (wrongAt.length > 0) return { wrongAt };
    return isRight(all) ? { value: all } : WRONG;
  };

/** An object of these members and no others. */
export const members =
  <M extends Record<string, Read<unknown>>>(reads: M): Read<{ [N in keyof M]: ValueOf<M[N]> }> =>
  (given) => {
    if (!isObject(given)) return WRONG;
    const unknown = Object.keys(given).some((name) => !Object.hasOwn(reads, name));
    const found = Object.entries(reads).map(([name, read]) => [name, read(own(given, name))] as const);
    const wrongAt = found.flatMap(([name, one]) => ('wrongAt' in one ? inside(name, one.wrongAt) : []));
    if (unknown || wrongAt.length > 0) return { wrongAt: unknown ? ['', ...wrongAt] : wrongAt };
    const values = found.flatMap(([name, one]) => ('value' in one ? [[name, one.value]] : []));
    return { value: Object.fromEntries(values) };
  };

/** An object of any members whose names match. */
export const recordOf =
  <T>(name: RegExp, each: Read<T>): Read<Record<string, T>> =>
  (given) => {
    if (!isObject(given)) return WRONG;
    const found = Object.entries(given).map(([key, value]) => [key, name.test(key) ? each(value) : WRONG] as const);
    const wrongAt = found.flatMap(([key, one]) => ('wrongAt' in one ? inside(key, one.wrongAt) : []));
    if (wrongAt.length > 0) return { wrongAt };
    return { value: Object.fromEntries(found.flatMap(([key, one]) => ('value' in one ? [[key, one.value]] : []))) };
  };

/** A text of JSON, of what `inner` reads. */
export const json =
  <T>(inner: Read<T>): Read<T> =>
  (given) => {
    if (typeof given !== 'string') return WRONG;
    let parsed: unknown;
    try {
      parsed = JSON.parse(given);
    } catch {
      return WRONG;
    }
    return inner(parsed);
  };

const isObject = (given: unknown): given is Record<string, unknown> =>
  typeof given === 'object' && given !== null && !Array.isArray(given);

const own = (given: Record<string, unknown>, name: string): unknown =>
  Object.hasOwn(given, name) ? given[name] : undefined;
