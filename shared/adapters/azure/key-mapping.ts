import { createHash } from 'node:crypto';
import type { JsonWebKey, KeyProperties, KeyRotationPolicy, KeyVaultKey } from '@azure/keyvault-keys';
import type {
  HsmRotationPolicy,
  KeyFacts,
  KeyOperation,
  KeySummary,
  KeyType,
  KeyVersionSummary,
} from '../../keys/key.ts';

export function toSummary(properties: KeyProperties): KeySummary {
  const { name, enabled, createdOn, updatedOn, expiresOn, notBefore, tags } = properties;
  return {
    name,
    enabled: enabled ?? true,
    createdOn: instant(createdOn),
    updatedOn: instant(updatedOn ?? createdOn),
    ...(expiresOn ? { expiresOn: instant(expiresOn) } : {}),
    ...(notBefore ? { notBefore: instant(notBefore) } : {}),
    tags: { ...tags },
  };
}

export function toVersionSummary({ version, enabled, createdOn, expiresOn }: KeyProperties): KeyVersionSummary {
  return {
    version: version ?? '',
    enabled: enabled ?? true,
    createdOn: instant(createdOn),
    ...(expiresOn ? { expiresOn: instant(expiresOn) } : {}),
  };
}

export function toFacts({ key, keyType, keyOperations, properties }: KeyVaultKey): KeyFacts {
  const publicFingerprint = key && fingerprint(key);
  const keySize = key && sizeOf(key);
  return {
    ...toSummary(properties),
    version: properties.version ?? '',
    // A Managed HSM holds these three types only; vaults know further ones.
    keyType: keyType as KeyType,
    ...(keySize === undefined ? {} : { keySize }),
    ...(key?.crv === undefined ? {} : { curve: key.crv }),
    // A set: the service changes its order between answers for the same key.
    keyOps: ([...(keyOperations ?? [])] as KeyOperation[]).toSorted(),
    exportable: properties.exportable ?? false,
    recoveryLevel: properties.recoveryLevel ?? '',
    ...(publicFingerprint === undefined ? {} : { publicFingerprint }),
  };
}

/** Undefined when the policy says nothing: that is how a policy is removed. */
export function toRotationPolicy(policy: KeyRotationPolicy): HsmRotationPolicy | undefined {
  // The service spells the action type `rotate` though it was sent `Rotate`.
  const rotate = policy.lifetimeActions?.find(({ action }) => action.toLowerCase() === 'rotate');
  const found: HsmRotationPolicy = {
    ...(policy.expiresIn ? { expiryTime: policy.expiresIn } : {}),
    ...(rotate?.timeAfterCreate ? { rotateAfterCreate: rotate.timeAfterCreate } : {}),
    ...(rotate?.timeBeforeExpiry ? { rotateBeforeExpiry: rotate.timeBeforeExpiry } : {}),
  };
  return Object.keys(found).length === 0 ? undefined : found;
}

export function fromRotationPolicy({ expiryTime, rotateAfterCreate, rotateBeforeExpiry }: HsmRotationPolicy) {
  const trigger = {
    ...(rotateAfterCreate === undefined ? {} : { timeAfterCreate: rotateAfterCreate }),
    ...(rotateBeforeExpiry === undefined ? {} : { timeBeforeExpiry: rotateBeforeExpiry }),
  };
  return {
    ...(expiryTime === undefined ? {} : { expiresIn: expiryTime }),
    lifetimeActions: Object.keys(trigger).length === 0 ? [] : [{ action: 'Rotate' as const, ...trigger }],
  };
}

/** SHA-256 in hex over the public members in the canonical form of RFC 7638; undefined for oct keys. */
function fingerprint({ kty, crv, n, e, x, y }: JsonWebKey): string | undefined {
  const members =
    n && e
      ? { e: encode(e), kty: baseType(kty), n: encode(n) }
      : x && y
        ? { crv, kty: baseType(kty), x: encode(x), y: encode(y) }
        : undefined;
  return members && createHash('sha256').update(JSON.stringify(members)).digest('hex');
}

/** The size of an oct key is not part of its JWK; of an RSA key it is the length of the modulus. */
const sizeOf = ({ n }: JsonWebKey): number | undefined => (n ? n.length * 8 : undefined);

const baseType = (keyType: string | undefined): string => (keyType ?? '').replace(/-HSM$/, '');

const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/** The SDK types the dates as optional; an HSM always sends `created` and `updated`. */
const instant = (date: Date | undefined): string => (date ?? new Date(0)).toISOString();
