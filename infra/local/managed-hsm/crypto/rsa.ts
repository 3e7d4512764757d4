import {
  constants,
  createHash,
  createPublicKey,
  privateDecrypt,
  privateEncrypt,
  publicDecrypt,
  publicEncrypt,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { badParameter } from '../errors.ts';
import { type Material, sizeOf } from '../material.ts';
import { checkDigest, type Hash, hashOf } from './digest.ts';

/** DER of DigestInfo up to the digest itself (RFC 8017, 9.2 note 1). */
const DIGEST_INFO: Record<Hash, Buffer> = {
  sha256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
  sha384: Buffer.from('3041300d060960864801650304020205000430', 'hex'),
  sha512: Buffer.from('3051300d060960864801650304020305000440', 'hex'),
};

const ENCRYPTION = {
  RSA1_5: { padding: constants.RSA_PKCS1_PADDING },
  'RSA-OAEP': { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
  'RSA-OAEP-256': { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
} as const;

export const RSA_ENCRYPTION = Object.keys(ENCRYPTION);
export const RSA_SIGNATURE = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'RSNULL'];

export function rsaEncrypt({ secret }: Material, algorithm: string, plaintext: Buffer): Buffer {
  try {
    return publicEncrypt({ key: createPublicKey(secret), ...encryption(algorithm) }, plaintext);
  } catch {
    throw badParameter(`The value is too long for ${algorithm} with this key.`);
  }
}

export function rsaDecrypt({ secret }: Material, algorithm: string, ciphertext: Buffer): Buffer {
  try {
    if (algorithm !== 'RSA1_5') return privateDecrypt({ key: secret, ...encryption(algorithm) }, ciphertext);
    // Node refuses PKCS #1 v1.5 decryption (CVE-2023-46809), so the padding is removed here.
    return unpad(privateDecrypt({ key: secret, padding: constants.RSA_NO_PADDING }, ciphertext));
  } catch {
    throw badParameter(`The value cannot be decrypted with ${algorithm} and this key.`);
  }
}

/** Signs a digest: Node's own signing would hash it again, so the encoding is done here and the key applied raw. */
export function rsaSign(material: Material, algorithm: string, digest: Buffer): Buffer {
  const key = material.secret;
  if (algorithm.startsWith('PS')) {
    checkDigest(algorithm, digest);
    const encoded = encodePss(digest, hashOf(algorithm), sizeOf(material) - 1);
    return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded);
  }
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, digestInfo(algorithm, digest));
}

export function rsaVerify(material: Material, algorithm: string, digest: Buffer, signature: Buffer): boolean {
  const key = createPublicKey(material.secret);
  const pss = algorithm.startsWith('PS');
  const expected = pss ? digest : digestInfo(algorithm, digest);
  if (pss) checkDigest(algorithm, digest);
  let recovered: Buffer;
  try {
    const padding = pss ? constants.RSA_NO_PADDING : constants.RSA_PKCS1_PADDING;
    recovered = publicDecrypt({ key, padding }, signature);
  } catch {
    // A signature of the wrong length or padding is simply not valid.
    return false;
  }
  return pss ? verifyPss(digest, hashOf(algorithm), recovered, sizeOf(material) - 1) : equal(recovered, expected);
}

function encryption(algorithm: string) {
  if (algorithm in ENCRYPTION) return ENCRYPTION[algorithm as keyof typeof ENCRYPTION];
  throw badParameter(`Algorithm '${algorithm}' is not supported for RSA-HSM keys.`);
}

/** RSNULL pads the value as it is. */
function digestInfo(algorithm: string, digest: Buffer): Buffer {
  if (algorithm === 'RSNULL') return digest;
  checkDigest(algorithm, digest);
  return Buffer.concat([DIGEST_INFO[hashOf(algorithm)], digest]);
}

/** EME-PKCS1-v1_5 (RFC 8017, 7.2.2): 00 02, at least eight non-zero bytes, 00, message. */
function unpad(block: Buffer): Buffer {
  const end = block.indexOf(0, 2);
  if (block[0] !== 0 || block[1] !== 2 || end < 10) throw new Error('Bad padding.');
  return block.subarray(end + 1);
}

/** EMSA-PSS-ENCODE (RFC 8017, 9.1.1) with a salt as long as the hash. */
function encodePss(digest: Buffer, hash: Hash, bits: number): Buffer {
  const length = Math.ceil(bits / 8);
  const salt = randomBytes(digest.length);
  const h = hashPss(digest, salt, hash);
  const db = Buffer.concat([Buffer.alloc(length - salt.length - h.length - 2), Buffer.from([1]), salt]);
  const masked = xor(db, mgf1(h, db.length, hash));
  masked[0] = (masked[0] ?? 0) & topMask(bits, length);
  return Buffer.concat([masked, h, Buffer.from([0xbc])]);
}

/** EMSA-PSS-VERIFY (RFC 8017, 9.1.2). */
function verifyPss(digest: Buffer, hash: Hash, encoded: Buffer, bits: number): boolean {
  const length = Math.ceil(bits / 8);
  const dbLength = length - digest.length - 1;
  if (encoded.length !== length || encoded.at(-1) !== 0xbc) return false;
  const h = encoded.subarray(dbLength, -1);
  const masked = encoded.subarray(0, dbLength);
  if ((masked[0] ?? 0) & ~topMask(bits, length)) return false;
  const db = xor(masked, mgf1(h, dbLength, hash));
  db[0] = (db[0] ?? 0) & topMask(bits, length);
  const saltAt = dbLength - digest.length;
  if (db.subarray(0, saltAt - 1).some((byte) => byte !== 0) || db[saltAt - 1] !== 1) return false;
  return equal(h, hashPss(digest, db.subarray(saltAt), hash));
}

const topMask = (bits: number, length: number) => 0xff >> (8 * length - bits);

const hashPss = (digest: Buffer, salt: Buffer, hash: Hash) =>
  createHash(hash).update(Buffer.alloc(8)).update(digest).update(salt).digest();

function mgf1(seed: Buffer, length: number, hash: Hash): Buffer {
  const blocks: Buffer[] = [];
  for (let counter = 0, have = 0; have < length; counter++) {
    const index = Buffer.alloc(4);
    index.writeUInt32BE(counter);
    const block = createHash(hash).update(seed).update(index).digest();
    blocks.push(block);
    have += block.length;
  }
  return Buffer.concat(blocks).subarray(0, length);
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));
}

const equal = (a: Buffer, b: Buffer) => a.length === b.length && timingSafeEqual(a, b);
