import { hex, utf8 } from '../activities/text.ts';
import type { World } from '../world.ts';
import type { Caller } from './authorise.ts';

/** Names one request: the same for the same Idempotency-Key of the same caller, and one of its own without one. */
export function requestDigest(world: World, caller: Caller, idempotencyKey: string | undefined): string {
  if (idempotencyKey === undefined) return hex(world.crypto.randomBytes(8));
  return hex(world.crypto.digest('SHA-256', utf8(`${caller.oid} ${idempotencyKey}`))).slice(0, 16);
}
