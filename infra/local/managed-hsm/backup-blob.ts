import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { badParameter } from './errors.ts';

/** What binds backups to the HSMs that may restore them. `key` is 32 bytes in base64url. */
export interface SecurityDomain {
  id: string;
  key: string;
}

const MAGIC = Buffer.from('MHSMKB1\0', 'latin1');
const IV = 12;
const TAG = 16;
const ID = 36;

export const createSecurityDomain = (): SecurityDomain => ({
  id: randomUUID(),
  key: randomBytes(32).toString('base64url'),
});

/** Encrypts `content` so that only an HSM of the same security domain opens it. Layout: magic, domain id, iv, tag, text. */
export function seal(domain: SecurityDomain, content: unknown): Buffer {
  const iv = randomBytes(IV);
  const header = Buffer.concat([MAGIC, Buffer.from(domain.id, 'latin1')]);
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(domain.key, 'base64url'), iv).setAAD(header);
  const text = Buffer.concat([cipher.update(JSON.stringify(content), 'utf8'), cipher.final()]);
  return Buffer.concat([header, iv, cipher.getAuthTag(), text]);
}

/** Throws 400 when the blob is of another security domain, altered, or no blob at all. The texts are ours: not found. */
export function unseal(domain: SecurityDomain, blob: Buffer): unknown {
  const headerLength = MAGIC.length + ID;
  if (blob.length < headerLength + IV + TAG || !blob.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw badParameter('The value is not a key backup.');
  }
  const header = blob.subarray(0, headerLength);
  if (header.subarray(MAGIC.length).toString('latin1') !== domain.id) {
    throw badParameter('The backup was made under another security domain and cannot be restored to this HSM.');
  }
  const iv = blob.subarray(headerLength, headerLength + IV);
  const tag = blob.subarray(headerLength + IV, headerLength + IV + TAG);
  try {
    const decipher = createDecipheriv('aes-256-gcm', Buffer.from(domain.key, 'base64url'), iv)
      .setAAD(header)
      .setAuthTag(tag);
    const text = Buffer.concat([decipher.update(blob.subarray(headerLength + IV + TAG)), decipher.final()]);
    return JSON.parse(text.toString('utf8'));
  } catch {
    throw badParameter('The key backup is damaged.');
  }
}
