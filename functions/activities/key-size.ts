import { hasCode } from '../../shared/errors.ts';
import type { KeyFacts, KeyRef } from '../../shared/keys/key.ts';
import type { World } from '../world.ts';

const AES_SIZES = [256, 192, 128];

/**
 * An AES key does not say its size in api-version 2025-07-01, and the names of its algorithms carry it. So it is learnt by
 * using the key: of the three sizes, the service takes only its own. Undefined when the version may make nothing now.
 */
export async function learnKeySize(world: World, key: KeyRef, facts: KeyFacts): Promise<number | undefined> {
  if (facts.keyType !== 'oct-HSM' || facts.keySize !== undefined) return facts.keySize;
  const secret = world.crypto.randomBytes(32);
  for (const size of AES_SIZES) {
    try {
      if (facts.keyOps.includes('wrapKey')) await world.crypto.wrap(key, facts.version, `A${size}KW`, secret);
      else if (facts.keyOps.includes('encrypt')) await world.crypto.encrypt(key, facts.version, `A${size}GCM`, secret);
      else return undefined;
      return size;
    } catch (error) {
      if (!hasCode(error, 'ERR_REFUSED_BY_SERVICE')) throw error;
    }
  }
  return undefined;
}

export const withKeySize = (facts: KeyFacts, keySize: number | undefined): KeyFacts =>
  keySize === undefined ? facts : { ...facts, keySize };
