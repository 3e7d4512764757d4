import { canonicalName, type KeyRef } from '../../shared/keys/key.ts';
import type { Documents } from '../../shared/ports/documents.ts';
import type { SentinelPlan } from '../../shared/rotation/plan-proof.ts';
import type { Sentinel } from '../../shared/rotation/proof.ts';
import type { World } from '../world.ts';
import { base64url } from './text.ts';

/** What each version made while it was new, one document a version. The secret inside is random, and only its hash is kept. */
const path = (key: KeyRef, version: string) => `sentinels/${key.hsm}/${canonicalName(key)}/${version}.json`;

export const readSentinel = async (documents: Documents, key: KeyRef, version: string): Promise<Sentinel | undefined> =>
  (await documents.read<Sentinel>('state', path(key, version)))?.value;

/** The first one stays: an older sentinel proves more. */
export const keepSentinel = async (documents: Documents, key: KeyRef, sentinel: Sentinel): Promise<void> => {
  await documents.create('state', path(key, sentinel.version), sentinel);
};

export async function makeSentinel(
  { crypto, clock }: World,
  key: KeyRef,
  version: string,
  { operation, algorithm, digest = 'SHA-256' }: Extract<SentinelPlan, { kind: 'keep' }>,
): Promise<Sentinel> {
  const common = { version, algorithm, madeOn: clock.now().toISOString() };
  const secret = crypto.randomBytes(32);
  const plaintextSha256 = base64url(crypto.digest('SHA-256', secret));
  switch (operation) {
    case 'wrapKey': {
      const ciphertext = base64url(await crypto.wrap(key, version, algorithm, secret));
      return { ...common, operation, ciphertext, plaintextSha256 };
    }
    case 'encrypt': {
      const { value, iv, tag } = await crypto.encrypt(key, version, algorithm, secret);
      return {
        ...common,
        operation,
        ciphertext: base64url(value),
        ...(iv ? { iv: base64url(iv) } : {}),
        ...(tag ? { tag: base64url(tag) } : {}),
        plaintextSha256,
      };
    }
    case 'sign': {
      const reduced = crypto.digest(digest, secret);
      const signature = await crypto.sign(key, version, algorithm, reduced);
      return { ...common, operation, digest: base64url(reduced), signature: base64url(signature) };
    }
  }
}
