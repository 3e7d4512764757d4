import { badParameter } from './errors.ts';
import type { KeyType } from './material.ts';
import type { ReleasePolicy } from './model.ts';

const NAME = /^[0-9a-zA-Z-]{1,127}$/;

const OPERATIONS: Record<KeyType, readonly string[]> = {
  'RSA-HSM': ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey', 'import', 'export'],
  // `deriveKey` is not in the description's list, yet a default operation of EC keys (recorded: test_key_crud_operations).
  'EC-HSM': ['sign', 'verify', 'deriveKey', 'export'],
  'oct-HSM': ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey', 'sign', 'verify', 'export'],
};

/** Recorded: test_key_crud_operations for EC; Azure/azure-sdk-for-js recordings of 2021 for oct. */
const DEFAULT_OPERATIONS: Record<KeyType, readonly string[]> = {
  'RSA-HSM': ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'],
  'EC-HSM': ['verify', 'deriveKey', 'sign'],
  'oct-HSM': ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'],
};

export function checkName(name: string): string {
  if (!NAME.test(name)) throw badParameter(`Key name '${name}' must be 1 to 127 letters, digits and hyphens.`);
  return name;
}

/** The operations asked for, or those that the service gives a key of this type. */
export function checkKeyOps(kty: KeyType, keyOps: readonly string[] | undefined): string[] {
  if (keyOps === undefined) return [...DEFAULT_OPERATIONS[kty]];
  const operations = [...new Set(keyOps)];
  for (const operation of operations) {
    if (!OPERATIONS[kty].includes(operation)) {
      throw badParameter(`Key operation '${operation}' is not supported for ${kty}.`);
    }
  }
  // Source: keys/about-keys-details: a key-exchange key for import does nothing else.
  if (operations.includes('import') && operations.length > 1)
    throw badParameter('Key operation import must stand alone.');
  return operations;
}

export function checkReleasePolicy(policy: ReleasePolicy | undefined, exportable: boolean): ReleasePolicy | undefined {
  if (policy === undefined) {
    if (exportable) throw badParameter('An exportable key needs a release policy.');
    return undefined;
  }
  // Source of the text, for a vault: Azure/azure-cli#28288.
  if (!exportable) throw badParameter('AKV.SKR.1005: Non-exportable keys must not have release policy.');
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(policy.data, 'base64url').toString('utf8'));
  } catch {
    throw badParameter('Key Release Policy: data is not base64url of JSON');
  }
  // Source of the text: Azure/azure-sdk-for-net#38375.
  const hasVersion = typeof document === 'object' && document !== null && 'version' in document;
  if (!hasVersion) throw badParameter("Key Release Policy: missing 'version' property");
  return policy;
}

/** A base64url member of a body as bytes. */
export function bytes(body: Record<string, unknown>, member: string): Buffer {
  const value = body[member];
  if (typeof value !== 'string' || !/^[A-Za-z0-9_-]*={0,2}$/.test(value)) {
    throw badParameter(`'${member}' must be a base64url string.`);
  }
  return Buffer.from(value, 'base64url');
}
