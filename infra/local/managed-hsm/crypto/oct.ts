import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createHmac,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { badParameter } from '../errors.ts';
import { type Material, sizeOf } from '../material.ts';
import { hashOf } from './digest.ts';

export interface Ciphertext {
  value: Buffer;
  iv?: Buffer;
  tag?: Buffer;
  aad?: Buffer;
}

const SIZES = [128, 192, 256];
const named = (suffix: string) => SIZES.map((size) => `A${size}${suffix}`);

export const OCT_ENCRYPTION = [...named('GCM'), ...named('CBC'), ...named('CBCPAD')];
export const OCT_WRAP = [...named('KW'), 'CKM_AES_KEY_WRAP', 'CKM_AES_KEY_WRAP_PAD'];
export const OCT_SIGNATURE = ['HS256', 'HS384', 'HS512'];

const GCM_IV = 12;
const CBC_BLOCK = 16;
const TAG = 16;

/** RFC 3394 and RFC 5649 default initial values. */
const WRAP_IV = Buffer.alloc(8, 0xa6);
const WRAP_PAD_IV = Buffer.from('a65959a6', 'hex');

/** GCM chooses its own nonce; CBC takes the caller's. Source: azure-sdk client parameters (AesGcmEncryptParameters has no iv). */
export function octEncrypt(
  material: Material,
  algorithm: string,
  plaintext: Buffer,
  iv?: Buffer,
  aad?: Buffer,
): Ciphertext {
  const key = keyFor(material, algorithm);
  if (algorithm.endsWith('GCM')) {
    if (iv) throw badParameter(`iv must not be given to encrypt with ${algorithm}: the HSM chooses it.`);
    const nonce = randomBytes(GCM_IV);
    const cipher = createCipheriv(gcm(algorithm), key, nonce);
    if (aad) cipher.setAAD(aad);
    const value = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return { value, iv: nonce, tag: cipher.getAuthTag(), ...(aad ? { aad } : {}) };
  }
  const padded = algorithm.endsWith('PAD');
  checkBlocks(algorithm, padded ? Buffer.alloc(0) : plaintext, iv);
  const cipher = createCipheriv(cbc(algorithm), key, iv ?? null).setAutoPadding(padded);
  return { value: Buffer.concat([cipher.update(plaintext), cipher.final()]), ...(iv ? { iv } : {}) };
}

export function octDecrypt(material: Material, algorithm: string, { value, iv, tag, aad }: Ciphertext): Buffer {
  const key = keyFor(material, algorithm);
  if (algorithm.endsWith('GCM')) {
    if (iv?.length !== GCM_IV) throw badParameter(`${algorithm} needs an iv of ${GCM_IV} bytes.`);
    if (tag?.length !== TAG) throw badParameter(`${algorithm} needs a tag of ${TAG} bytes.`);
    const decipher = createDecipheriv(gcm(algorithm), key, iv).setAuthTag(tag);
    if (aad) decipher.setAAD(aad);
    return open(algorithm, () => Buffer.concat([decipher.update(value), decipher.final()]));
  }
  checkBlocks(algorithm, value, iv);
  const decipher = createDecipheriv(cbc(algorithm), key, iv ?? null).setAutoPadding(algorithm.endsWith('PAD'));
  return open(algorithm, () => Buffer.concat([decipher.update(value), decipher.final()]));
}

export function octWrap(material: Material, algorithm: string, value: Buffer): Buffer {
  const key = keyFor(material, algorithm);
  const cipher = createCipheriv(...wrapping(material, algorithm, key));
  return open(algorithm, () => Buffer.concat([cipher.update(value), cipher.final()]));
}

export function octUnwrap(material: Material, algorithm: string, value: Buffer): Buffer {
  const key = keyFor(material, algorithm);
  const decipher = createDecipheriv(...wrapping(material, algorithm, key));
  return open(algorithm, () => Buffer.concat([decipher.update(value), decipher.final()]));
}

/** Takes the message itself, of any length. That a Managed HSM does so too was not found. */
export const octSign = ({ secret }: Material, algorithm: string, message: Buffer): Buffer =>
  createHmac(hashOf(algorithm), secret).update(message).digest();

export function octVerify(material: Material, algorithm: string, message: Buffer, signature: Buffer): boolean {
  const expected = octSign(material, algorithm, message);
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}

const gcm = (algorithm: string) => `aes-${algorithm.slice(1, 4)}-gcm` as CipherGCMTypes;
const cbc = (algorithm: string) => `aes-${algorithm.slice(1, 4)}-cbc`;

function wrapping(
  material: Material,
  algorithm: string,
  key: Material['secret'],
): [string, Material['secret'], Buffer] {
  const padded = algorithm.endsWith('PAD');
  return [`id-aes${sizeOf(material)}-wrap${padded ? '-pad' : ''}`, key, padded ? WRAP_PAD_IV : WRAP_IV];
}

/** An algorithm that names a length needs a key of just that length. */
function keyFor(material: Material, algorithm: string) {
  const length = /^A(\d{3})/.exec(algorithm)?.[1];
  if (length !== undefined && Number(length) !== sizeOf(material)) {
    throw badParameter(`${algorithm} needs a key of ${length} bits.`);
  }
  return material.secret;
}

function checkBlocks(algorithm: string, value: Buffer, iv: Buffer | undefined): void {
  if (iv?.length !== CBC_BLOCK) throw badParameter(`${algorithm} needs an iv of ${CBC_BLOCK} bytes.`);
  if (value.length % CBC_BLOCK !== 0)
    throw badParameter(`${algorithm} needs a value of whole ${CBC_BLOCK}-byte blocks.`);
}

function open(algorithm: string, act: () => Buffer): Buffer {
  try {
    return act();
  } catch {
    throw badParameter(`The value cannot be processed with ${algorithm} and this key.`);
  }
}
