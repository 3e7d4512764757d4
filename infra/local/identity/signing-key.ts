import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose';

/** The RS256 key behind every token of the estate, with the public half as an entry of a JWKS. */
export interface SigningKey {
  privateKey: KeyObject;
  publicKey: KeyObject;
  kid: string;
  jwk: JWK;
}

/** The key kept in `directory`, made on first use, so that tokens handed out stay valid over a restart. */
export async function obtainSigningKey(directory: string): Promise<SigningKey> {
  const file = join(directory, 'token-signing.key');
  if (!existsSync(file)) {
    const pair = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
    await mkdir(directory, { recursive: true });
    await writeFile(file, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  }
  const privateKey = createPrivateKey(await readFile(file));
  const publicKey = createPublicKey(privateKey);
  const bare = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(bare);
  return { privateKey, publicKey, kid, jwk: { ...bare, kid, alg: 'RS256', use: 'sig' } };
}
