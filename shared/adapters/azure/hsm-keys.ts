import type { KeyClient } from '@azure/keyvault-keys';
import { AppError } from '../../errors.ts';
import { type KeyRef, keyLabel } from '../../keys/key.ts';
import { type HsmKeys, ROTATE_TIMEOUT_MS } from '../../ports/hsm-keys.ts';
import { classifyFailure, isUnknownOutcome } from './classify-failure.ts';
import type { Identity } from './credentials.ts';
import { clientOptions, type HsmAddress, hsmNameOf, REPEATING, SENT_ONCE } from './hsm-client.ts';
import { clientsOf } from './hsm-connections.ts';
import { fromRotationPolicy, toFacts, toRotationPolicy, toSummary, toVersionSummary } from './key-mapping.ts';

/** What listing takes. The SDK's pager drops the service's words about a refusal, so the adapter must know. */
const READ_ACTION = 'Microsoft.KeyVault/managedHsm/keys/read/action';
/** The service gives no more. https://learn.microsoft.com/rest/api/keyvault/keys/get-keys/get-keys */
const PAGE_SIZE = 25;

interface Clients {
  address: HsmAddress;
  repeating: KeyClient;
  single: KeyClient;
  /** Brings the challenge behind `single` by reading the key through it. Does nothing from the second time on. */
  prime: (keyName: string) => Promise<void>;
}

/**
 * The keys of the given HSMs, acting as one identity. Clients are made on first use and kept, one set for each HSM.
 * `requestMs`: how long to wait for the answer to a single request; `rotateMs`: to a rotation.
 */
export function createHsmKeys(options: {
  hsms: HsmAddress[];
  identity: Identity;
  requestMs?: number;
  rotateMs?: number;
}): HsmKeys {
  const { hsms, identity, requestMs, rotateMs = ROTATE_TIMEOUT_MS } = options;
  const open = clientsOf<HsmAddress, Clients>(hsms, (address) => connect(address, identity, requestMs));
  const failed = (error: unknown, act: string, { uri }: HsmAddress, scope?: string) => {
    const needs = scope === undefined ? {} : { needs: { dataAction: READ_ACTION, scope } };
    return classifyFailure(error, { act, identity, hsmName: hsmNameOf(uri), ...needs });
  };
  /** One call that may be repeated. */
  const ask = async <T>(
    hsm: string,
    act: string,
    call: (client: KeyClient) => Promise<T>,
    scope?: string,
  ): Promise<T> => {
    const { address, repeating } = await open(hsm);
    return call(repeating).catch((error: unknown) => {
      throw failed(error, act, address, scope);
    });
  };

  return {
    async *pages(hsm) {
      const { address, repeating } = await open(hsm);
      const pages = repeating.listPropertiesOfKeys().byPage({ maxPageSize: PAGE_SIZE });
      try {
        for await (const page of pages) yield page.map(toSummary);
      } catch (error) {
        throw failed(error, `list the keys of ${hsm}`, address, '/keys');
      }
    },

    read: (key, version) =>
      ask(key.hsm, `read the key ${keyLabel(key)}`, async (client) =>
        toFacts(await client.getKey(key.name, version === undefined ? {} : { version })),
      ),

    versions: (key) =>
      ask(
        key.hsm,
        `list the versions of ${keyLabel(key)}`,
        async (client) => {
          const found = [];
          const pages = client.listPropertiesOfKeyVersions(key.name).byPage({ maxPageSize: PAGE_SIZE });
          for await (const page of pages) found.push(...page.map(toVersionSummary));
          return found.toSorted((a, b) => compare(a.createdOn, b.createdOn) || compare(a.version, b.version));
        },
        `/keys/${key.name}`,
      ),

    readRotationPolicy: (key) =>
      ask(key.hsm, `read the rotation policy of ${keyLabel(key)}`, async (client) =>
        toRotationPolicy(await client.getKeyRotationPolicy(key.name)),
      ),

    writeRotationPolicy: (key, policy) =>
      ask(key.hsm, `write the rotation policy of ${keyLabel(key)}`, async (client) => {
        await client.updateKeyRotationPolicy(key.name, fromRotationPolicy(policy));
      }),

    async rotate(key) {
      const { address, single, prime } = await open(key.hsm);
      const act = `rotate the key ${keyLabel(key)}`;
      await prime(key.name).catch((error: unknown) => {
        throw failed(error, act, address);
      });
      try {
        return toFacts(await single.rotateKey(key.name, { abortSignal: AbortSignal.timeout(rotateMs) }));
      } catch (error) {
        // What is neither refused nor refusable came after the answer had begun: the version may exist.
        const definite = isUnknownOutcome(error) ? undefined : failed(error, act, address);
        throw definite instanceof AppError ? definite : unknownOutcome(key, error);
      }
    },

    writeTags: (key, version, tags) =>
      ask(key.hsm, `write the tags of ${keyLabel(key)}`, async (client) => {
        await client.updateKeyProperties(key.name, version, { tags });
      }),

    setEnabled: (key, version, enabled) =>
      ask(key.hsm, `${enabled ? 'enable' : 'disable'} the version ${version} of ${keyLabel(key)}`, async (client) => {
        await client.updateKeyProperties(key.name, version, { enabled });
      }),

    backUp: (key) =>
      ask(key.hsm, `back up the key ${keyLabel(key)}`, async (client) => {
        const blob = await client.backupKey(key.name);
        if (blob) return new Uint8Array(blob);
        throw new AppError('ERR_REFUSED_BY_SERVICE', `The backup of ${keyLabel(key)} came back empty.`, {
          nextStep: 'Back up the key again; if it stays empty, ask Azure support.',
        });
      }),
  };
}

async function connect(address: HsmAddress, identity: Identity, requestMs: number | undefined): Promise<Clients> {
  const [{ KeyClient }, credential] = await Promise.all([import('@azure/keyvault-keys'), identity.credential()]);
  const single = new KeyClient(address.uri, credential, clientOptions(SENT_ONCE, requestMs));
  let primed = false;
  return {
    address,
    repeating: new KeyClient(address.uri, credential, clientOptions(REPEATING, requestMs)),
    single,
    // A client's first request goes out without a token and is repeated after the 401. A read takes that repeat upon
    // itself, so that a rotation is never sent twice. A refusal of the read is an answer too.
    async prime(keyName) {
      if (primed) return;
      await single.getKey(keyName).catch((error: unknown) => {
        if (statusOf(error) !== 403 && statusOf(error) !== 404) throw error;
      });
      primed = true;
    },
  };
}

const statusOf = (error: unknown): unknown =>
  error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;

const unknownOutcome = (key: KeyRef, cause: unknown) =>
  new AppError('ERR_UNKNOWN_OUTCOME', `The reply to the rotation of ${keyLabel(key)} was lost: it may have happened.`, {
    nextStep: 'Read the newest version, once the call can no longer take effect, before rotating again.',
    cause,
  });

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
