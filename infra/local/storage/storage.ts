import { STATUS_CODES } from 'node:http';
import type { Caller, Reply } from '../call.ts';
import type { Tls, TokenVerifier } from '../estate.ts';
import type { Faults } from '../faults.ts';
import { type Azurite, type AzuriteParts, loadAzurite, startAzurite } from './azurite.ts';
import { startAzuriteChild } from './azurite-child.ts';
import { startStorageProxy } from './proxy.ts';

/** The one account of the embedded estate; the path-style name is the only visible difference from Azure. */
export const ACCOUNT = 'devstoreaccount1';

export const CONTAINERS = ['policy', 'state', 'journal', 'evidence', 'key-backups', 'dead-letters'] as const;
export const QUEUES = ['key-events'] as const;

/** Storage as the estate's own services use it: with a token, through the same address as everyone. */
export interface StorageService {
  /** `https://localhost:{port}/devstoreaccount1` */
  readonly blobUrl: string;
  readonly queueUrl: string;
  /** Creates what Bicep would create; what is there already stays. */
  provision(): Promise<void>;
  putBlob(container: string, name: string, body: string | Buffer, contentType: string): Promise<void>;
  /** Leaves an existing blob as it is. */
  putBlobIfAbsent(container: string, name: string, body: string | Buffer, contentType: string): Promise<void>;
  /** Empties containers and queues, leased blobs included. */
  deleteContents(): Promise<void>;
  /** Resolves with the service's status: a full or missing queue is the topic's business, not an exception. */
  putMessage(queue: string, text: string): Promise<number>;
  stop(): Promise<void>;
}

export async function startStorage(options: {
  ports?: { blob: number; queue: number };
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
  const [blob, queue] = await Promise.all([
    startStorageProxy({
      service: 'blob',
      port: options.ports?.blob ?? 0,
      targetPort: azurite.blobPort,
      tls,
      tokens,
      faults,
    }),
    startStorageProxy({
      service: 'queue',
      port: options.ports?.queue ?? 0,
      targetPort: azurite.queuePort,
      tls,
      tokens,
      faults,
    }),
  ]);
  const blobUrl = `https://localhost:${blob.port}/${ACCOUNT}`;
  const queueUrl = `https://localhost:${queue.port}/${ACCOUNT}`;

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
    const listing = await send('GET', `${blobUrl}/${container}?restype=container&comp=list`);
    expect(listing);
    return [...listing.body.toString('utf8').matchAll(/<Name>([^<]*)<\/Name>/g)].map((match) => unescapeXml(match[1]));
  };
  const remove = async (container: string, name: string): Promise<void> => {
    const url = `${blobUrl}/${container}/${blobPath(name)}`;
    const attempt = () => send('DELETE', url, { 'x-ms-delete-snapshots': 'include' });
    const reply = await attempt();
    if (reply.status !== 412) return expect(reply);
    // Somebody holds a lease, perhaps a host that was killed.
    expect(await send('PUT', `${url}?comp=lease`, { 'x-ms-lease-action': 'break', 'x-ms-lease-break-period': '0' }));
    expect(await attempt());
  };

  return {
    blobUrl,
    queueUrl,
    async provision() {
      await Promise.all([
        ...CONTAINERS.map(async (name) => expect(await send('PUT', `${blobUrl}/${name}?restype=container`), 409)),
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
      for (const container of CONTAINERS) for (const name of await list(container)) await remove(container, name);
      for (const name of QUEUES) expect(await send('DELETE', `${queueUrl}/${name}/messages`));
    },
    async putMessage(name, text) {
      const body = `<QueueMessage><MessageText>${text}</MessageText></QueueMessage>`;
      return (await send('POST', `${queueUrl}/${name}/messages`, { 'content-type': 'application/xml' }, body)).status;
    },
    async stop() {
      await Promise.all([blob.close(), queue.close()]);
      await azurite.stop();
    },
  };
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

const unescapeXml = (text = '') =>
  text.replace(
    /&(amp|lt|gt|quot|apos);/g,
    (_all, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"' })[name] ?? "'",
  );
