import { createHash, randomBytes } from 'node:crypto';
import type { CryptographyClient, DecryptParameters, EncryptParameters, KeyWrapAlgorithm } from '@azure/keyvault-keys';
import { type KeyRef, keyLabel } from '../../keys/key.ts';
import type { HsmCrypto } from '../../ports/hsm-crypto.ts';
import { once } from '../once.ts';
import { classifyFailure } from './classify-failure.ts';
import type { Identity } from './credentials.ts';
import { clientOptions, type HsmAddress, hsmNameOf, REPEATING, unknownHsm } from './hsm-client.ts';

/** The SDK binds a client to one version of a key. A proof uses two; the oldest are dropped. */
const KEPT_CLIENTS = 64;

const ALGORITHM_NAMES = { 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' } as const;

/** Cryptographic operations inside the given HSMs, acting as one identity. */
export function createHsmCrypto({ hsms, identity }: { hsms: HsmAddress[]; identity: Identity }): HsmCrypto {
  const clients = new Map<string, () => Promise<CryptographyClient>>();

  const clientOf = ({ uri }: HsmAddress, key: KeyRef, version: string) => {
    const id = `${uri}/keys/${key.name}/${version}`;
    const kept = clients.get(id) ?? once(() => connect(id, key.name, uri, version, identity));
    clients.delete(id);
    clients.set(id, kept);
    const [oldest] = clients.keys();
    if (oldest !== undefined && clients.size > KEPT_CLIENTS) clients.delete(oldest);
    return kept();
  };

  const run = async <T>(
    verb: string,
    key: KeyRef,
    version: string,
    call: (client: CryptographyClient) => Promise<T>,
  ): Promise<T> => {
    const address = hsms.find(({ name }) => name === key.hsm);
    if (!address) throw unknownHsm(key.hsm);
    try {
      return await call(await clientOf(address, key, version));
    } catch (error) {
      const act = `${verb} version ${version} of ${keyLabel(key)}`;
      throw classifyFailure(error, { act, identity, hsmName: hsmNameOf(address.uri) });
    }
  };

  return {
    wrap: (key, version, algorithm, secret) =>
      run('wrap with', key, version, async (client) => {
        const { result } = await client.wrapKey(algorithm as KeyWrapAlgorithm, secret);
        return plain(result);
      }),
    unwrap: (key, version, algorithm, wrapped) =>
      run('unwrap with', key, version, async (client) => {
        const { result } = await client.unwrapKey(algorithm as KeyWrapAlgorithm, wrapped);
        return plain(result);
      }),
    encrypt: (key, version, algorithm, plaintext) =>
      run('encrypt with', key, version, async (client) => {
        const parameters = { algorithm, plaintext } as EncryptParameters;
        const { result, iv, authenticationTag: tag } = await client.encrypt(parameters);
        return { value: plain(result), ...(iv ? { iv: plain(iv) } : {}), ...(tag ? { tag: plain(tag) } : {}) };
      }),
    decrypt: (key, version, algorithm, { value, iv, tag }) =>
      run('decrypt with', key, version, async (client) => {
        const sealed = { ciphertext: value, ...(iv ? { iv } : {}), ...(tag ? { authenticationTag: tag } : {}) };
        const { result } = await client.decrypt({ algorithm, ...sealed } as DecryptParameters);
        return plain(result);
      }),
    sign: (key, version, algorithm, digest) =>
      run('sign with', key, version, async (client) => {
        const { result } = await client.sign(algorithm, digest);
        return plain(result);
      }),
    verify: (key, version, algorithm, digest, signature) =>
      run('verify with', key, version, async (client) => {
        const { result } = await client.verify(algorithm, digest, signature);
        return result;
      }),
    randomBytes: (count) => plain(randomBytes(count)),
    digest: (algorithm, data) => plain(createHash(ALGORITHM_NAMES[algorithm]).update(data).digest()),
  };
}

/** A Buffer prints, compares and serialises in its own way; the port promises plain bytes. */
const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);

/**
 * A client that leaves every operation to the HSM. Given a key id, the SDK would read the key and then encrypt, wrap and
 * check dates by itself, which proves nothing about the HSM; given a key without its material, it cannot.
 */
async function connect(id: string, name: string, uri: string, version: string, identity: Identity) {
  const [{ CryptographyClient }, credential] = await Promise.all([
    import('@azure/keyvault-keys'),
    identity.credential(),
  ]);
  return new CryptographyClient(
    { id, name, properties: { name, vaultUrl: uri, version } },
    credential,
    clientOptions(REPEATING),
  );
}
