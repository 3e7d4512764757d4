import { once } from '../once.ts';
import type { Identity } from './credentials.ts';

/**
 * The object id of one of our identities, by which the audit log names callers: the settings know its client id. Read from a
 * token of its own; undefined where the token does not say.
 */
export function objectIdOf(identity: Identity, audience: string): () => Promise<string | undefined> {
  return once(async () => {
    const token = await (await identity.credential()).getToken(`${audience}/.default`);
    return claimOf(token?.token ?? '', 'oid')?.toLowerCase();
  });
}

/** The content of a token is its audience's business, so what does not look as expected is no fault. */
function claimOf(token: string, claim: string): string | undefined {
  try {
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as unknown;
    const value = typeof payload === 'object' && payload !== null ? Reflect.get(payload, claim) : undefined;
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
