import { badParameter } from '../errors.ts';
import type { KeyType, Material } from '../material.ts';
import { bytes } from '../validation.ts';
import { EC_SIGNATURE, ecSign, ecVerify } from './ec.ts';
import {
  OCT_ENCRYPTION,
  OCT_SIGNATURE,
  OCT_WRAP,
  octDecrypt,
  octEncrypt,
  octSign,
  octUnwrap,
  octVerify,
  octWrap,
} from './oct.ts';
import { RSA_ENCRYPTION, RSA_SIGNATURE, rsaDecrypt, rsaEncrypt, rsaSign, rsaVerify } from './rsa.ts';

/** Spelled as in `key_ops`; the path segment is the same in lower case. */
export type CryptoOperation = 'encrypt' | 'decrypt' | 'sign' | 'verify' | 'wrapKey' | 'unwrapKey';

type Body = Record<string, unknown>;

/** Source: keys/about-keys-details; the description's enumerations for the CKM_ names. */
const ALGORITHMS: Record<KeyType, Record<'encryption' | 'wrapping' | 'signature', readonly string[]>> = {
  'RSA-HSM': { encryption: RSA_ENCRYPTION, wrapping: RSA_ENCRYPTION, signature: RSA_SIGNATURE },
  'EC-HSM': { encryption: [], wrapping: [], signature: EC_SIGNATURE },
  'oct-HSM': { encryption: OCT_ENCRYPTION, wrapping: OCT_WRAP, signature: OCT_SIGNATURE },
};

const FAMILY = {
  encrypt: 'encryption',
  decrypt: 'encryption',
  wrapKey: 'wrapping',
  unwrapKey: 'wrapping',
  sign: 'signature',
  verify: 'signature',
} as const;

/**
 * Runs one operation on one version's material. The answer has every member but `kid`. Throws 400 for an algorithm that
 * the key cannot do, or a value that does not fit it.
 */
export function runCrypto(operation: CryptoOperation, material: Material, body: Body): Record<string, unknown> {
  const alg = body.alg;
  if (typeof alg !== 'string' || !ALGORITHMS[material.kty][FAMILY[operation]].includes(alg)) {
    throw badParameter(`Algorithm '${String(alg)}' is not supported for ${operation} with ${material.kty} keys.`);
  }
  if (operation === 'verify') {
    return { value: verify(material, alg, bytes(body, 'digest'), bytes(body, 'value')) };
  }
  const value = bytes(body, 'value');
  switch (operation) {
    case 'sign':
      return { alg, value: sign(material, alg, value).toString('base64url') };
    case 'wrapKey':
      return { alg, value: wrap(material, alg, value).toString('base64url') };
    case 'unwrapKey':
      return { alg, value: unwrap(material, alg, value).toString('base64url') };
    case 'encrypt':
      return { alg, ...encrypt(material, alg, value, body) };
    case 'decrypt':
      return { alg, value: decrypt(material, alg, value, body).toString('base64url') };
  }
}

function encrypt(material: Material, alg: string, value: Buffer, body: Body): Record<string, string> {
  if (material.kty === 'RSA-HSM') return { value: rsaEncrypt(material, alg, value).toString('base64url') };
  const made = octEncrypt(material, alg, value, optional(body, 'iv'), optional(body, 'aad'));
  return Object.fromEntries(Object.entries(made).map(([name, part]) => [name, (part as Buffer).toString('base64url')]));
}

function decrypt(material: Material, alg: string, value: Buffer, body: Body): Buffer {
  if (material.kty === 'RSA-HSM') return rsaDecrypt(material, alg, value);
  const [iv, tag, aad] = [optional(body, 'iv'), optional(body, 'tag'), optional(body, 'aad')];
  return octDecrypt(material, alg, { value, ...(iv && { iv }), ...(tag && { tag }), ...(aad && { aad }) });
}

const wrap = (material: Material, alg: string, value: Buffer) =>
  material.kty === 'RSA-HSM' ? rsaEncrypt(material, alg, value) : octWrap(material, alg, value);

const unwrap = (material: Material, alg: string, value: Buffer) =>
  material.kty === 'RSA-HSM' ? rsaDecrypt(material, alg, value) : octUnwrap(material, alg, value);

function sign(material: Material, alg: string, digest: Buffer): Buffer {
  if (material.kty === 'RSA-HSM') return rsaSign(material, alg, digest);
  return material.kty === 'EC-HSM' ? ecSign(material, alg, digest) : octSign(material, alg, digest);
}

function verify(material: Material, alg: string, digest: Buffer, signature: Buffer): boolean {
  if (material.kty === 'RSA-HSM') return rsaVerify(material, alg, digest, signature);
  return material.kty === 'EC-HSM'
    ? ecVerify(material, alg, digest, signature)
    : octVerify(material, alg, digest, signature);
}

const optional = (body: Body, member: string): Buffer | undefined =>
  body[member] === undefined || body[member] === null ? undefined : bytes(body, member);
