import { STATUS_CODES } from 'node:http';
import type { Caller, Reply } from '../call.ts';
import type { Tls, TokenVerifier } from '../estate.ts';
import type { Faults } from '../faults.ts';
import { IDENTITIES } from '../identity/registrations.ts';
import { ACCOUNT_NAMES, ACCOUNTS, type AccountName, QUEUES } from './accounts.ts';
import { type Azurite, type AzuriteParts, loadAzurite, startAzurite } from './azurite.ts';
import { startAzuriteChild } from './azurite-child.ts';
import { createBlobFeatures } from './blob-features.ts';
import { type ContainerPolicy, createImmutability, type Immutability } from './immutability.ts';
import { startStorageProxy } from './proxy.ts';
import { createDataRoles, type DataRoles, type GivenRole } from './roles.ts';
import { unescapeXml } from './versions.ts';

export { ACCOUNT, ACCOUNT_NAMES, type AccountName, CONTAINERS, QUEUES } from './accounts.ts';

/** One account as the control surface and the estate's state see it. */
export interface AccountService {
  /** `https://localhost:{port}/{account}` */
  readonly blobUrl: string;
  readonly roles: DataRoles;
  readonly immutability: Immutability;
}

/** Storage as the estate's own services use it: with a token, through the same address as everyone. */
export interface StorageService {
  /** Of the state account: `https://localhost:{port}/devstoreaccount1`. */
  readonly blobUrl: string;
  readonly queueUrl: string;
  readonly accounts: Record<AccountName, AccountService>;
  /** Creates what Bicep would create; what is there already stays. */
  provision(): Promise<void>;
  putBlob(container: string, name: string, body: string | Buffer, contentType: string): Promise<void>;
  /** Leaves an existing blob as it is. */
  putBlobIfAbsent(container: string, name: string, body: string | Buffer, contentType: string): Promise<void>;
  /** Roles and immutability: what Azurite does not keep. */
  save(): unknown;
  load(saved: unknown): void;
  /** Empties containers and queues, leased and locked blobs included. */
  deleteContents(): Promise<void>;
  /** Resolves with the service's status: a full or missing queue is the topic's business, not an exception. */
  putMessage(queue: string, text: string): Promise<number>;
  stop(): Promise<void>;
}

/** The journal is written by one identity that writes nothing else, as it is deployed. */
const JOURNAL_ROLES: readonly GivenRole[] = [
  [IDENTITIES.record.objectId, 'none'],
  [`${IDENTITIES.record.objectId}/journal`, 'Storage Blob Data Contributor'],
  [`${IDENTITIES.observe.objectId}/journal`, 'none'],
];

interface SavedAccount {
  account: AccountName;
  roles: ReturnType<DataRoles['save']>;
  immutability: ReturnType<Immutability['save']>;
}

export async function startStorage(options: {
  ports?: { blob: number; queue: number; landing: number; vault: number };
  tls: Tls;
  tokens: TokenVerifier;
  faults: Faults;
  /** Where Azurite keeps its files; absent: in memory. */
  directory?: string;
  call: Caller;
  /** A storage token of the estate's own identity. */
  token(): Promise<string>;
}): Promise<StorageService> {
  const { tls, tokens, faults, call, directory } = options;
  const kept = { tls, ...(directory === undefined ? {} : { directory }) };
  const azurite = await startEither(kept);
  const front = { tls, tokens, faults };
  const guards = (account: AccountName) => ({
    roles: createDataRoles(account === 'state' ? JOURNAL_ROLES : []),
    immutability: createImmutability(containerPolicies(account)),
  });
  const guarded = { state: guards('state'), landing: guards('landing'), vault: guards('vault') };
  const openAccount = (account: AccountName, port = 0) => {
    const { roles, immutability } = guarded[account];
    return startStorageProxy({
      ...{ ...front, service: 'blob', account: ACCOUNTS[account].name, accountName: account, port },
      ...{ targetPort: azurite.blobPort, roles },
      features: createBlobFeatures({ immutability, token: options.token }),
    });
  };
  const [state, landing, vault, queue] = await Promise.all([
    openAccount('state', options.ports?.blob),
    openAccount('landing', options.ports?.landing),
    openAccount('vault', options.ports?.vault),
    startStorageProxy({
      ...{ ...front, service: 'queue', account: ACCOUNTS.state.name, accountName: 'state' },
      port: options.ports?.queue ?? 0,
      ...{ targetPort: azurite.queuePort, roles: createDataRoles() },
    }),
  ]);
  const listeners = { state, landing, vault };
  const accountOf = (account: AccountName): AccountService => ({
    blobUrl: `https://localhost:${listeners[account].port}/${ACCOUNTS[account].name}`,
    ...guarded[account],
  });
  const accounts = { state: accountOf('state'), landing: accountOf('landing'), vault: accountOf('vault') };
  const { blobUrl } = accounts.state;
  const queueUrl = `https://localhost:${queue.port}/${ACCOUNTS.state.name}`;

  const send = async (method: string, url: string, headers: Record<string, string> = {}, body: string | Buffer = '') =>
    call({
      method,
      url,
      body,
      headers: { authorization: `Bearer ${await options.token()}`, 'x-ms-version': '2025-11-05', ...headers },
    });
  const put = (container: string, name: string, body: string | Buffer, headers: Record<string, string>) =>
    send('PUT', `${blobUrl}/${container}/${blobPath(name)}`, { 'x-ms-blob-type': 'BlockBlob', ...headers }, body);

  const list = async (container: string): Promise<string[]> => {
    const listing = await send('GET', `${container}?restype=container&comp=list`);
    expect(listing);
    return [...listing.body.toString('utf8').matchAll(/<Name>([^<]*)<\/Name>/g)].map((match) => unescapeXml(match[1]));
  };
  const remove = async (container: string, name: string): Promise<void> => {
    const url = `${container}/${blobPath(name)}`;
    const attempt = () => send('DELETE', url, { 'x-ms-delete-snapshots': 'include' });
    const reply = await attempt();
    if (reply.status !== 412) return expect(reply);
    // Somebody holds a lease, perhaps a host that was killed.
    expect(await send('PUT', `${url}?comp=lease`, { 'x-ms-lease-action': 'break', 'x-ms-lease-break-period': '0' }));
    expect(await attempt());
  };

  const containers = ACCOUNT_NAMES.flatMap((account) =>
    ACCOUNTS[account].containers.map((name) => `${accounts[account].blobUrl}/${name}`),
  );

  return {
    blobUrl,
    queueUrl,
    accounts,
    async provision() {
      await Promise.all([
        ...containers.map(async (container) => expect(await send('PUT', `${container}?restype=container`), 409)),
        ...QUEUES.map(async (name) => expect(await send('PUT', `${queueUrl}/${name}`), 409)),
      ]);
    },
    async putBlob(container, name, body, contentType) {
      expect(await put(container, name, body, { 'content-type': contentType }));
    },
    async putBlobIfAbsent(container, name, body, contentType) {
      expect(await put(container, name, body, { 'content-type': contentType, 'if-none-match': '*' }), 409);
    },
    async deleteContents() {
      for (const account of ACCOUNT_NAMES) {
        accounts[account].roles.reset();
        accounts[account].immutability.reset();
      }
      for (const container of containers) for (const name of await list(container)) await remove(container, name);
      for (const name of QUEUES) expect(await send('DELETE', `${queueUrl}/${name}/messages`));
    },
    async putMessage(name, text) {
      const body = `<QueueMessage><MessageText>${text}</MessageText></QueueMessage>`;
      return (await send('POST', `${queueUrl}/${name}/messages`, { 'content-type': 'application/xml' }, body)).status;
    },
    save: () =>
      ACCOUNT_NAMES.map((account): SavedAccount => {
        const { roles, immutability } = accounts[account];
        return { account, roles: roles.save(), immutability: immutability.save() };
      }),
    load(saved) {
      for (const { account, roles, immutability } of saved as SavedAccount[]) {
        accounts[account].roles.load(roles);
        accounts[account].immutability.load(immutability);
      }
    },
    async stop() {
      await Promise.all([state, landing, vault, queue].map((listener) => listener.close()));
      await azurite.stop();
    },
  };
}

/** Blobs may be locked where evidence and verified copies are kept. An HSM cannot write a backup to such a container. */
function containerPolicies(account: AccountName): Record<string, ContainerPolicy> {
  return Object.fromEntries(ACCOUNTS[account].versionLevel.map((name) => [name, { versionLevel: true }]));
}

async function startEither(options: Parameters<typeof startAzuriteChild>[0]): Promise<Azurite> {
  let parts: AzuriteParts;
  try {
    parts = loadAzurite();
  } catch (error) {
    console.warn(`Azurite cannot be loaded into this process, so it runs as a child, in real time: ${String(error)}`);
    return startAzuriteChild(options);
  }
  return startAzurite(parts, options);
}

function expect(reply: Reply, alsoFine?: number): void {
  if (reply.status < 300 || reply.status === alsoFine) return;
  throw new Error(
    `Storage answered ${reply.status} ${STATUS_CODES[reply.status]}: ${reply.body.toString('utf8').slice(0, 300)}`,
  );
}

const blobPath = (name: string) => name.split('/').map(encodeURIComponent).join('/');
