import { badParameter, HsmError } from './errors.ts';
import { MAX_TAG_LENGTH, MAX_TAGS } from './limits.ts';
import type { KeyType } from './material.ts';
import type { ReleasePolicy } from './model.ts';

/** Attributes that a client may write. */
export interface WritableAttributes {
  enabled?: boolean;
  exp?: number;
  nbf?: number;
  exportable?: boolean;
}

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

export function checkKeyOps(kty: KeyType, keyOps: unknown): string[] {
  if (keyOps === undefined || keyOps === null) return [...DEFAULT_OPERATIONS[kty]];
  if (!Array.isArray(keyOps)) throw badParameter('key_ops must be a list.');
  const operations = [...new Set(keyOps.map(String))];
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

export function checkTags(tags: unknown): Record<string, string> | undefined {
  if (tags === undefined || tags === null) return undefined;
  const entries = Object.entries(tags as Record<string, unknown>);
  if (entries.length > MAX_TAGS) throw badParameter(`A key has at most ${MAX_TAGS} tags.`);
  for (const [name, value] of entries) {
    if (typeof value !== 'string') throw badParameter(`The value of tag '${name}' must be a string.`);
    if (name.length > MAX_TAG_LENGTH || value.length > MAX_TAG_LENGTH) {
      throw badParameter(`Names and values of tags have at most ${MAX_TAG_LENGTH} characters.`);
    }
  }
  return Object.fromEntries(entries) as Record<string, string>;
}

export function checkAttributes(attributes: unknown): WritableAttributes {
  const given = (attributes ?? {}) as Record<string, unknown>;
  const checked: WritableAttributes = {};
  for (const name of ['enabled', 'exportable'] as const) {
    const value = given[name];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'boolean') throw badParameter(`attributes.${name} must be true or false.`);
    checked[name] = value;
  }
  for (const name of ['exp', 'nbf'] as const) {
    const value = given[name];
    if (value === undefined || value === null) continue;
    if (!Number.isInteger(value)) throw badParameter(`attributes.${name} must be Unix seconds.`);
    checked[name] = value as number;
  }
  return checked;
}

export function checkReleasePolicy(policy: unknown, exportable: boolean): ReleasePolicy | undefined {
  if (policy === undefined || policy === null) {
    if (exportable) throw badParameter('An exportable key needs a release policy.');
    return undefined;
  }
  // Source of the text, for a vault: Azure/azure-cli#28288.
  if (!exportable) throw badParameter('AKV.SKR.1005: Non-exportable keys must not have release policy.');
  const given = policy as ReleasePolicy;
  let document: { version?: unknown };
  try {
    document = JSON.parse(Buffer.from(String(given.data), 'base64url').toString('utf8'));
  } catch {
    throw badParameter('Key Release Policy: data is not base64url of JSON');
  }
  // Source of the text: Azure/azure-sdk-for-net#38375.
  if (document.version === undefined) throw badParameter("Key Release Policy: missing 'version' property");
  return given;
}

/** A body as an object. Throws 400 when there is none. */
export function bodyObject(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new HsmError(400, 'BadParameter', 'The request needs a JSON object as its body.');
  }
  return body as Record<string, unknown>;
}

/** A base64url member of a body as bytes. */
export function bytes(body: Record<string, unknown>, member: string): Buffer {
  const value = body[member];
  if (typeof value !== 'string' || !/^[A-Za-z0-9_-]*={0,2}$/.test(value)) {
    throw badParameter(`'${member}' must be a base64url string.`);
  }
  return Buffer.from(value, 'base64url');
}
