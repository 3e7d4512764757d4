import { createHash, createHmac, createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';
import * as z from 'zod';
import type { SecurityDomain } from '../backup-blob.ts';
import { combineShares, type Share, splitSecret } from './secret-sharing.ts';

/**
 * The forms in which a security domain leaves and enters an HSM. Structure: examples of Azure/azure-rest-api-specs
 * (SecurityDomain) for the download, and the offline re-wrap of the Azure CLI (security-domain restore-blob) for the upload.
 */
const TAG = 'hsm_backup';
const ENC = 'A256CBC-HS512';
const SECRET_BYTES = 32;

const encrypted = z.object({ data: z.array(z.object({ compact_jwe: z.string(), tag: z.string() })).min(1) });

const downloadSchema = z.object({
  EncData: encrypted,
  SharedKeys: z.object({
    enc_shares: z.array(z.object({ enc_key: z.string(), x5t_256: z.string() })),
    key_algorithm: z.literal('shamir_share'),
    required: z.int(),
  }),
  version: z.literal(2),
});

const uploadSchema = z.object({
  EncData: encrypted.extend({ kdf: z.literal('sp108_kdf') }),
  WrappedKey: z.object({ enc_key: z.string(), x5t_256: z.string() }),
});

/** A public key to wrap for, with the SHA-256 thumbprint of its certificate. */
export interface Recipient {
  key: KeyObject;
  thumbprint: string;
}

/** Wraps the domain so that any `required` of the recipients can open it together. base64url of JSON. */
export async function sealForQuorum(
  domain: SecurityDomain,
  recipients: readonly Recipient[],
  required: number,
): Promise<string> {
  const secret = randomBytes(SECRET_BYTES);
  const shares = splitSecret(secret, recipients.length, required);
  const encShares = await Promise.all(
    recipients.map(async ({ key, thumbprint }, index) => ({
      enc_key: await wrap(shareBytes(shares[index] as Share), key),
      x5t_256: thumbprint,
    })),
  );
  const document: z.infer<typeof downloadSchema> = {
    EncData: { data: [{ compact_jwe: await encrypt(secret, JSON.stringify(domain)), tag: TAG }] },
    SharedKeys: { enc_shares: encShares, key_algorithm: 'shamir_share', required },
    version: 2,
  };
  return Buffer.from(JSON.stringify(document)).toString('base64url');
}

/** Opens what `sealForQuorum` made. Throws an Error when fewer of the private keys fit than the quorum asks for. */
export async function openByQuorum(value: string, privateKeysPem: readonly string[]): Promise<SecurityDomain> {
  const { EncData, SharedKeys } = downloadSchema.parse(JSON.parse(Buffer.from(value, 'base64url').toString('utf8')));
  const keys = privateKeysPem.map((pem) => createPrivateKey(pem));
  const shares: Share[] = [];
  for (const { enc_key: wrapped } of SharedKeys.enc_shares) {
    for (const key of keys) {
      const bytes = await unwrap(wrapped, key);
      if (!bytes) continue;
      shares.push({ x: bytes.readUInt8(0), y: bytes.subarray(1) });
      break;
    }
  }
  if (shares.length < SharedKeys.required) {
    throw new Error(`The quorum is ${SharedKeys.required} keys, and ${shares.length} of those given belong to it.`);
  }
  return decrypt(combineShares(shares.slice(0, SharedKeys.required)), EncData);
}

/** Wraps the domain for the transfer key of an HSM in recovery. JSON. */
export async function sealForTransfer(domain: SecurityDomain, { key, thumbprint }: Recipient): Promise<string> {
  const secret = randomBytes(SECRET_BYTES);
  const document: z.infer<typeof uploadSchema> = {
    EncData: { data: [{ compact_jwe: await encrypt(secret, JSON.stringify(domain)), tag: TAG }], kdf: 'sp108_kdf' },
    WrappedKey: { enc_key: await wrap(secret, key), x5t_256: thumbprint },
  };
  return JSON.stringify(document);
}

export type Transfer = z.infer<typeof uploadSchema>;

/** The upload in its shape, from JSON or base64url of JSON. Undefined when it is neither. */
export function parseTransfer(value: string): Transfer | undefined {
  const text = value.trimStart().startsWith('{') ? value : Buffer.from(value, 'base64url').toString('utf8');
  try {
    return uploadSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Throws an Error when it was wrapped for another transfer key, or was altered. */
export async function openTransfer(transfer: Transfer, key: KeyObject): Promise<SecurityDomain> {
  const secret = await unwrap(transfer.WrappedKey.enc_key, key);
  if (!secret) throw new Error('The security domain was not wrapped for the transfer key of this HSM.');
  return decrypt(secret, transfer.EncData);
}

export const thumbprintOf = (der: Buffer): string => createHash('sha256').update(der).digest('base64url');

const domainSchema = z.object({ id: z.string(), key: z.string() });

async function decrypt(secret: Buffer, { data }: z.infer<typeof encrypted>): Promise<SecurityDomain> {
  const datum = data.find(({ tag }) => tag === TAG);
  if (!datum) throw new Error(`The security domain has no ${TAG}.`);
  const { plaintext } = await compactDecrypt(datum.compact_jwe, derive(secret));
  return domainSchema.parse(JSON.parse(Buffer.from(plaintext).toString('utf8')));
}

const encrypt = (secret: Buffer, text: string): Promise<string> =>
  new CompactEncrypt(Buffer.from(text)).setProtectedHeader({ alg: 'dir', enc: ENC, kid: TAG }).encrypt(derive(secret));

const wrap = (bytes: Buffer, key: KeyObject): Promise<string> =>
  new CompactEncrypt(bytes).setProtectedHeader({ alg: 'RSA-OAEP-256', enc: ENC, kid: 'not used' }).encrypt(key);

/** Undefined when it was wrapped for another key. */
async function unwrap(jwe: string, key: KeyObject): Promise<Buffer | undefined> {
  try {
    return Buffer.from((await compactDecrypt(jwe, key)).plaintext);
  } catch {
    return undefined;
  }
}

const shareBytes = ({ x, y }: Share): Buffer => Buffer.concat([Buffer.from([x]), y]);

/** SP 800-108 in counter mode with HMAC-SHA-512: one block, which is all that A256CBC-HS512 needs. */
function derive(secret: Buffer): Buffer {
  const message = Buffer.concat([uint32(1), Buffer.from(TAG), Buffer.from([0]), uint32(512)]);
  return createHmac('sha512', secret).update(message).digest();
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
