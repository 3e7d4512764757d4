import type { Found } from '../model.ts';
import { page } from '../paging.ts';
import { keyBundle, type Vault } from '../wire.ts';
import { type Call, ok, type Reply } from './route.ts';

export const nameIn = ({ params }: Call): string => params.name ?? '';

/** Answers with a version, and names it in the audit row. */
export function answerKey(vault: Vault, call: Call, { key, version }: Found): Reply {
  call.audit.key = key.name;
  call.audit.version = version.version;
  const bundle = keyBundle(vault, key, version);
  if (call.effect === 'incompleteAnswer') {
    const { kid, kty, key_ops } = bundle.key as Record<string, unknown>;
    bundle.key = { key_ops, kid, kty };
  }
  return ok(bundle);
}

/** `corruptVersion`: the answer is whole, and what was kept is not, as after a write that half succeeded. */
export function answerNewVersion(vault: Vault, call: Call, made: Found): Reply {
  const reply = answerKey(vault, call, made);
  if (call.effect === 'corruptVersion') {
    made.version.keyOps = [];
    delete made.version.exp;
  }
  return reply;
}

/** One page of `items`, which are sorted by `keyOf`. */
export function answerPage<T>(
  vault: Vault,
  call: Call,
  items: readonly T[],
  keyOf: (item: T) => string,
  show: (item: T) => unknown,
): Reply {
  const { items: given, nextLink } = page(items, keyOf, call.request.url, vault.uri);
  return ok({ ...(nextLink ? { nextLink } : {}), value: given.map(show) });
}
