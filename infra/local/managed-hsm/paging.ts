import { badParameter } from './errors.ts';
import { MAX_PAGE } from './limits.ts';

/** A page of `items`, which are sorted by `keyOf`. The token names the last item given, so additions shift nothing. */
export function page<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  url: URL,
  origin: string,
): { items: T[]; nextLink?: string } {
  const size = pageSize(url.searchParams.get('maxresults'));
  const token = url.searchParams.get('$skiptoken');
  const start = token === null ? 0 : firstAfter(items, keyOf, decode(token));
  const given = items.slice(start, start + size);
  const last = given.at(-1);
  if (last === undefined || start + size >= items.length) return { items: given };
  const next = new URL(url.pathname, origin);
  next.searchParams.set('api-version', url.searchParams.get('api-version') ?? '');
  next.searchParams.set('$skiptoken', encode(keyOf(last)));
  next.searchParams.set('maxresults', String(size));
  return { items: given, nextLink: next.toString() };
}

function pageSize(asked: string | null): number {
  if (asked === null) return MAX_PAGE;
  const size = Number(asked);
  if (!Number.isInteger(size) || size < 1 || size > MAX_PAGE) {
    throw badParameter(`maxresults must be an integer from 1 to ${MAX_PAGE}.`);
  }
  return size;
}

function firstAfter<T>(items: readonly T[], keyOf: (item: T) => string, key: string): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keyOf(items[middle] as T) <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}

const encode = (key: string) => Buffer.from(JSON.stringify({ after: key })).toString('base64url');

function decode(token: string): string {
  try {
    const { after } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as { after?: unknown };
    if (typeof after === 'string') return after;
  } catch {
    throw badParameter('The $skiptoken is not one that this HSM gave.');
  }
  throw badParameter('The $skiptoken is not one that this HSM gave.');
}
