import type { TokenCredential } from '@azure/identity';
import {
  BlobSASPermissions,
  BlobServiceClient,
  generateBlobSASQueryParameters,
  type RestError,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { IDENTITIES } from '../../../infra/local/identity/registrations.ts';
import { startAzuriteChild } from '../../../infra/local/storage/azurite-child.ts';
import { nameBlobOperation, nameQueueOperation } from '../../../infra/local/storage/operations.ts';
import { STORAGE_AUDIENCE } from '../../../infra/local/storage/proxy.ts';
import { ACCOUNT, CONTAINERS, startStorage } from '../../../infra/local/storage/storage.ts';
import { estateParts } from './support/parts.ts';

const { clock, tls, tokens, faults, call } = await estateParts();
const token = async () => (await tokens.forIdentity(IDENTITIES.administrator, STORAGE_AUDIENCE)).token;
const storage = await startStorage({ tls, tokens, faults, call, token });
await storage.provision();
afterAll(() => storage.stop());
beforeEach(() => faults.clear());

const credential = (audience = STORAGE_AUDIENCE): TokenCredential => ({
  async getToken() {
    const issued = await tokens.forIdentity(IDENTITIES.administrator, audience);
    return { token: issued.token, expiresOnTimestamp: issued.expiresOn * 1000 };
  },
});
/** One attempt, so that a fault shows as it is. */
const once = { retryOptions: { maxTries: 1 } };
const blobs = new BlobServiceClient(storage.blobUrl, credential(), once);
const queues = new QueueServiceClient(storage.queueUrl, credential(), once);
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('The call succeeded.'),
    (error: RestError) => error,
  );

describe('Storage', () => {
  test('has the containers and queues of the deployment', async () => {
    const names: string[] = [];
    for await (const { name } of blobs.listContainers()) names.push(name);
    expect(names.sort()).toEqual([...CONTAINERS].sort());
    expect((await queues.getQueueClient('key-events').getProperties()).approximateMessagesCount).toBe(0);
  });

  test('serves the unmodified blob client with a token: blobs, conditions, append blobs', async () => {
    const state = blobs.getContainerClient('state');
    const blob = state.getBlockBlobClient('inventory/contoso keys.json');
    const { etag } = await blob.upload('{"a":1}', 7, { conditions: { ifNoneMatch: '*' } });
    expect((await blob.downloadToBuffer()).toString()).toBe('{"a":1}');
    const stale = await failure(blob.upload('{}', 2, { conditions: { ifMatch: '"0x0"' } }));
    expect(stale.statusCode).toBe(412);
    await blob.upload('{"a":2}', 7, { conditions: { ifMatch: etag ?? '' } });
    const journal = blobs.getContainerClient('journal').getAppendBlobClient('2030-01.jsonl');
    await journal.create();
    await journal.appendBlock('one\n', 4);
    await journal.appendBlock('two\n', 4);
    expect((await journal.downloadToBuffer()).toString()).toBe('one\ntwo\n');
  });

  test('streams megabytes through unchanged', async () => {
    const content = Buffer.alloc(3_000_000, 'managed hsm ');
    const blob = blobs.getContainerClient('evidence').getBlockBlobClient('large');
    await blob.uploadData(content, { blockSize: 1_000_000 });
    expect((await blob.downloadToBuffer()).equals(content)).toBe(true);
  });

  test('refuses a token of another audience and one that nobody signed', async () => {
    const foreign = new BlobServiceClient(storage.blobUrl, credential('https://vault.azure.net'), once);
    expect((await failure(foreign.getProperties())).statusCode).toBe(401);
    const { token: good } = await tokens.forIdentity(IDENTITIES.administrator, STORAGE_AUDIENCE);
    const forged = { getToken: async () => ({ token: `${good.slice(0, -8)}AAAAAAAA`, expiresOnTimestamp: Infinity }) };
    const refused = await failure(new BlobServiceClient(storage.blobUrl, forged, once).getProperties());
    expect(refused).toMatchObject({ statusCode: 401, code: 'InvalidAuthenticationInfo' });
  });

  test('takes the account key and a SAS made of it, like a storage account that allows them', async () => {
    const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
    const shared = new StorageSharedKeyCredential(ACCOUNT, key);
    const blob = blobs.getContainerClient('state').getBlockBlobClient('signed');
    await blob.upload('x', 1);
    const expiresOn = new Date(clock.now().getTime() + 60_000);
    const permissions = BlobSASPermissions.parse('r');
    const grant = { containerName: 'state', blobName: 'signed', permissions, expiresOn };
    const url = `${blob.url}?${generateBlobSASQueryParameters(grant, shared)}`;
    expect((await call({ method: 'GET', url })).status).toBe(200);
    clock.advance(120_000);
    expect((await call({ method: 'GET', url })).status).toBe(403);
  });

  test('lets a lease run out when the clock is moved', async () => {
    const blob = blobs.getContainerClient('state').getBlockBlobClient('lock');
    await blob.upload('', 0);
    await blob.getBlobLeaseClient().acquireLease(60);
    expect((await failure(blob.getBlobLeaseClient().acquireLease(60))).statusCode).toBe(409);
    clock.advance(61_000);
    await blob.getBlobLeaseClient().acquireLease(15);
  });

  test('serves the unmodified queue client, and shows a message again when estate time says so', async () => {
    const queue = queues.getQueueClient('key-events');
    await storage.putMessage('key-events', Buffer.from('{"id":"1"}').toString('base64'));
    const first = await queue.receiveMessages({ visibilityTimeout: 300 });
    expect(Buffer.from(first.receivedMessageItems[0]?.messageText ?? '', 'base64').toString()).toBe('{"id":"1"}');
    expect((await queue.receiveMessages()).receivedMessageItems).toHaveLength(0);
    clock.advance(301_000);
    const again = (await queue.receiveMessages()).receivedMessageItems[0];
    expect(again?.dequeueCount).toBe(2);
    await queue.deleteMessage(again?.messageId ?? '', again?.popReceipt ?? '');
  });

  test('is emptied for a reset, a leased blob included', async () => {
    const blob = blobs.getContainerClient('state').getBlockBlobClient('locks/held & named');
    await blob.upload('', 0);
    await blob.getBlobLeaseClient().acquireLease(-1);
    await storage.deleteContents();
    expect(await blob.exists()).toBe(false);
  });

  test('copies a blob from its own address, for which it trusts its own authority', async () => {
    const source = blobs.getContainerClient('state').getBlockBlobClient('original');
    await source.upload('backup', 6);
    const target = blobs.getContainerClient('key-backups').getBlockBlobClient('copy');
    await (await target.beginCopyFromURL(source.url)).pollUntilDone();
    expect((await target.downloadToBuffer()).toString()).toBe('backup');
  });
});

describe('A storage fault', () => {
  test('answers in the storage services’ own form', async () => {
    faults.add({
      service: 'blob',
      operation: 'BlobPut',
      where: { container: 'state' },
      status: 503,
      code: 'ServerBusy',
    });
    const blob = blobs.getContainerClient('state').getBlockBlobClient('unlucky');
    expect(await failure(blob.upload('x', 1))).toMatchObject({ statusCode: 503, code: 'ServerBusy' });
    expect(await blob.exists()).toBe(false);
  });

  test('that loses the reply after the effect leaves the block appended', async () => {
    const journal = blobs.getContainerClient('journal').getAppendBlobClient('lost.jsonl');
    await journal.create();
    faults.add({ service: 'blob', operation: 'AppendBlock', lostReply: 'after', count: 1 });
    await failure(journal.appendBlock('once\n', 5));
    expect((await journal.downloadToBuffer()).toString()).toBe('once\n');
  });

  test('that loses the request before the effect leaves nothing', async () => {
    faults.add({ service: 'blob', operation: 'LeaseAcquire', lostReply: 'before', count: 1 });
    const blob = blobs.getContainerClient('state').getBlockBlobClient('lock-2');
    await blob.upload('', 0);
    await failure(blob.getBlobLeaseClient().acquireLease(15));
    await blob.getBlobLeaseClient().acquireLease(15);
  });

  test('meets the queue by its own names', async () => {
    faults.add({ service: 'queue', operation: 'MessagesGet', status: 500 });
    expect((await failure(queues.getQueueClient('key-events').receiveMessages())).statusCode).toBe(500);
  });
});

describe('The name of a storage operation', () => {
  const request = (method: string, path: string, headers: Record<string, string> = {}) => ({
    method,
    url: new URL(path, 'https://localhost'),
    header: (name: string) => headers[name],
  });
  for (const [method, path, headers, operation] of [
    ['PUT', '/a/c/b', {}, 'BlobPut'],
    ['GET', '/a/c/b/d.json', {}, 'BlobGet'],
    ['HEAD', '/a/c/b', {}, 'BlobGetProperties'],
    ['DELETE', '/a/c/b', {}, 'BlobDelete'],
    ['PUT', '/a/c/b', { 'x-ms-copy-source': 'https://x' }, 'BlobCopy'],
    ['PUT', '/a/c/b', { 'x-ms-copy-source': 'https://x', 'x-ms-blob-type': 'BlockBlob' }, 'BlobPutFromUrl'],
    ['PUT', '/a/c/b?comp=appendblock', {}, 'AppendBlock'],
    ['PUT', '/a/c/b?comp=lease', { 'x-ms-lease-action': 'acquire' }, 'LeaseAcquire'],
    ['PUT', '/a/c/b?comp=lease', { 'x-ms-lease-action': 'renew' }, 'LeaseRenew'],
    ['PUT', '/a/c/b?comp=blocklist', {}, 'BlockListPut'],
    ['PUT', '/a/c/b?comp=immutabilityPolicies', {}, 'BlobSetImmutabilityPolicies'],
    ['PUT', '/a/c?restype=container', {}, 'ContainerCreate'],
    ['GET', '/a/c?restype=container&comp=list', {}, 'BlobList'],
    ['GET', '/a/?comp=list', {}, 'ServiceList'],
  ] as const) {
    test(`${method} ${path} is ${operation}`, () =>
      expect(nameBlobOperation(request(method, path, headers)).operation).toBe(operation));
  }

  test('of a queue tells reading from peeking', () => {
    expect(nameQueueOperation(request('GET', '/a/q/messages')).operation).toBe('MessagesGet');
    expect(nameQueueOperation(request('GET', '/a/q/messages?peekonly=true')).operation).toBe('MessagesPeek');
    expect(nameQueueOperation(request('DELETE', '/a/q/messages/1?popreceipt=2')).operation).toBe('MessageDelete');
  });
});

test('Azurite can run as a child, for the day its internals change', async () => {
  const child = await startAzuriteChild({ tls });
  const reply = await call({
    method: 'GET',
    url: `https://localhost:${child.blobPort}/${ACCOUNT}/?comp=list`,
    headers: { authorization: `Bearer ${await token()}`, 'x-ms-version': '2025-11-05' },
  });
  expect(reply.body.toString()).toMatch(/EnumerationResults|Lifetime validation/);
  await child.stop();
});
