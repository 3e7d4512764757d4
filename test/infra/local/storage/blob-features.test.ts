import { BlobServiceClient, type ContainerClient, type RestError } from '@azure/storage-blob';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { IDENTITIES } from '../../../../infra/local/identity/registrations.ts';
import { STORAGE_AUDIENCE } from '../../../../infra/local/storage/proxy.ts';
import { startStorage } from '../../../../infra/local/storage/storage.ts';
import { estateParts } from '../support/parts.ts';

const { clock, tls, tokens, faults, call } = await estateParts();
const token = async () => (await tokens.forIdentity(IDENTITIES.administrator, STORAGE_AUDIENCE)).token;
const storage = await startStorage({ tls, tokens, faults, call, token });
await storage.provision();
afterAll(() => storage.stop());
beforeEach(() => faults.clear());

const credential = {
  async getToken() {
    const issued = await tokens.forIdentity(IDENTITIES.administrator, STORAGE_AUDIENCE);
    return { token: issued.token, expiresOnTimestamp: issued.expiresOn * 1000 };
  },
};
const containerOf = (account: 'state' | 'landing' | 'vault', container: string): ContainerClient =>
  new BlobServiceClient(storage.accounts[account].blobUrl, credential, {
    retryOptions: { maxTries: 1 },
  }).getContainerClient(container);
const vault = containerOf('vault', 'hsm-backups');
const landing = containerOf('landing', 'hsm-backups');
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('The call succeeded.'),
    (error: RestError) => error,
  );
const inDays = (days: number) => new Date(clock.now().getTime() + days * 86_400_000);
const sourceAuthorization = async () => ({ scheme: 'Bearer', value: await token() });
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};
const immutable = { statusCode: 409, code: 'BlobImmutableDueToPolicy' };

describe('A locked blob', () => {
  const locked = async (name: string, days = 30) => {
    const blob = vault.getBlockBlobClient(name);
    await blob.upload('backup', 6);
    await blob.setImmutabilityPolicy({ expiriesOn: inDays(days), policyMode: 'Locked' });
    return blob;
  };

  test('is neither deleted nor overwritten nor changed, until its time has passed', async () => {
    const blob = await locked('a');
    const copy = async () => blob.syncUploadFromURL(blob.url, { sourceAuthorization: await sourceAuthorization() });
    for (const change of [
      () => blob.delete(),
      () => blob.upload('other', 5),
      () => blob.uploadData(Buffer.alloc(10), { blockSize: 4, maxSingleShotSize: 4 }),
      () => blob.setMetadata({ a: 'b' }),
      () => blob.setHTTPHeaders({ blobContentType: 'text/plain' }),
      copy,
    ]) {
      expect(await failure(change())).toMatchObject(immutable);
    }
    expect((await blob.downloadToBuffer()).toString()).toBe('backup');
    clock.advance(31 * 86_400_000);
    await blob.delete();
    await blob.upload('again', 5);
    expect((await blob.getProperties()).immutabilityPolicyMode).toBeUndefined();
  });

  test('shows its policy to whoever reads or lists it', async () => {
    const blob = await locked('shown');
    const { immutabilityPolicyExpiresOn, immutabilityPolicyMode } = await blob.getProperties();
    expect(immutabilityPolicyMode).toBe('locked');
    expect(Math.abs(Number(immutabilityPolicyExpiresOn) - inDays(30).getTime())).toBeLessThan(60_000);
    const [listed] = await all(
      vault.listBlobsFlat({
        prefix: 'shown',
        includeImmutabilityPolicy: true,
        includeVersions: true,
        includeMetadata: true,
      }),
    );
    expect(listed).toMatchObject({ isCurrentVersion: true, properties: { immutabilityPolicyMode: 'locked' } });
    expect(listed?.versionId).toBe((await blob.getProperties()).versionId);
  });

  test('can be held longer, but not shorter, unlocked or freed', async () => {
    const blob = await locked('extended');
    await blob.setImmutabilityPolicy({ expiriesOn: inDays(60), policyMode: 'Locked' });
    for (const change of [
      () => blob.setImmutabilityPolicy({ expiriesOn: inDays(40), policyMode: 'Locked' }),
      () => blob.setImmutabilityPolicy({ expiriesOn: inDays(90), policyMode: 'Unlocked' }),
      () => blob.deleteImmutabilityPolicy(),
    ]) {
      expect(await failure(change())).toMatchObject(immutable);
    }
    clock.advance(45 * 86_400_000);
    expect(await failure(blob.delete())).toMatchObject(immutable);
  });

  test('protects its container from deletion', async () => {
    await locked('keeper');
    expect((await failure(vault.delete())).statusCode).toBe(409);
  });
});

describe('An immutability policy', () => {
  test('that is unlocked protects too, and can be taken away', async () => {
    const blob = vault.getBlockBlobClient('unlocked');
    await blob.upload('x', 1);
    await blob.setImmutabilityPolicy({ expiriesOn: inDays(10), policyMode: 'Unlocked' });
    expect(await failure(blob.delete())).toMatchObject(immutable);
    await blob.setImmutabilityPolicy({ expiriesOn: inDays(5), policyMode: 'Unlocked' });
    await blob.deleteImmutabilityPolicy();
    await blob.delete();
  });

  test('can come with the upload', async () => {
    const blob = vault.getBlockBlobClient('born-locked');
    await blob.upload('x', 1, { immutabilityPolicy: { expiriesOn: inDays(10), policyMode: 'Locked' } });
    expect(await failure(blob.delete())).toMatchObject(immutable);
  });

  test('is refused for the past, for a blob that is not there, and in a container without versions', async () => {
    const policy = (days: number) => ({ expiriesOn: inDays(days), policyMode: 'Locked' as const });
    const blob = vault.getBlockBlobClient('refused');
    expect((await failure(blob.setImmutabilityPolicy(policy(1)))).code).toBe('BlobNotFound');
    await blob.upload('x', 1);
    expect((await failure(blob.setImmutabilityPolicy(policy(-1)))).statusCode).toBe(400);
    const landed = landing.getBlockBlobClient('refused');
    await landed.upload('x', 1);
    expect((await failure(landed.setImmutabilityPolicy(policy(1)))).statusCode).toBe(409);
  });

  test('of a container counts from the creation of each blob', async () => {
    const evidence = containerOf('state', 'journal');
    storage.accounts.state.immutability.setContainer('journal', { retentionDays: 10 });
    const blob = evidence.getBlockBlobClient('line');
    await blob.upload('x', 1);
    expect(await failure(blob.upload('y', 1))).toMatchObject(immutable);
    expect((await evidence.getProperties()).hasImmutabilityPolicy).toBe(true);
    clock.advance(11 * 86_400_000);
    await blob.delete();
    storage.accounts.state.immutability.setContainer('journal', {});
  });
});

describe('A legal hold', () => {
  test('protects a blob until it is lifted', async () => {
    const blob = vault.getBlockBlobClient('held');
    await blob.upload('x', 1);
    await blob.setLegalHold(true);
    expect(await failure(blob.delete())).toMatchObject({ statusCode: 409, code: 'BlobImmutableDueToLegalHold' });
    expect((await blob.getProperties()).legalHold).toBe(true);
    await blob.setLegalHold(false);
    await blob.delete();
  });
});

describe('A version id', () => {
  test('comes with every write, stays while the blob does, and is not found once it was overwritten', async () => {
    const blob = vault.getBlockBlobClient('versioned');
    const first = await blob.upload('one', 3);
    expect(first.versionId).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/);
    expect((await blob.getProperties()).versionId).toBe(first.versionId);
    expect((await blob.withVersion(first.versionId ?? '').downloadToBuffer()).toString()).toBe('one');
    const second = await blob.upload('two', 3);
    expect(second.versionId).not.toBe(first.versionId);
    expect((await failure(blob.withVersion(first.versionId ?? '').getProperties())).statusCode).toBe(404);
  });
});

describe('A copy from a URL', () => {
  const content = Buffer.alloc(2_500_000, 'sealed backup ');
  const source = landing.getBlockBlobClient('folder/keys-0001.bin');

  test('takes over content, properties and metadata from another account', async () => {
    await source.uploadData(content, {
      blobHTTPHeaders: { blobContentType: 'application/x-hsm' },
      metadata: { hsm: 'contoso' },
    });
    const target = vault.getBlockBlobClient('copied');
    const { versionId, etag } = await target.syncUploadFromURL(source.url, {
      sourceAuthorization: await sourceAuthorization(),
    });
    expect(versionId).toBeDefined();
    const found = await target.getProperties();
    expect(found).toMatchObject({ etag, contentType: 'application/x-hsm', metadata: { hsm: 'contoso' } });
    expect((await target.downloadToBuffer()).equals(content)).toBe(true);
  });

  test('goes block by block', async () => {
    const target = vault.getBlockBlobClient('in-blocks');
    const blocks = [0, 1_000_000, 2_000_000].map((offset, index) => ({
      offset,
      count: Math.min(1_000_000, content.length - offset),
      id: Buffer.from(`block-${index}`).toString('base64'),
    }));
    for (const { id, offset, count } of blocks) {
      await target.stageBlockFromURL(id, source.url, offset, count, {
        sourceAuthorization: await sourceAuthorization(),
      });
    }
    await target.commitBlockList(blocks.map(({ id }) => id));
    expect((await target.downloadToBuffer()).equals(content)).toBe(true);
  });

  test('is refused without a right to the source, for a source that is not there or has changed', async () => {
    const target = vault.getBlockBlobClient('refused-copy');
    const attempt = async (url: string, more = {}) => failure(target.syncUploadFromURL(url, more));
    expect((await attempt(source.url)).statusCode).toBeGreaterThanOrEqual(401);
    const authorized = { sourceAuthorization: await sourceAuthorization() };
    expect(await attempt(`${source.url}-no`, authorized)).toMatchObject({
      statusCode: 404,
      code: 'CannotVerifyCopySource',
    });
    const changed = { ...authorized, sourceConditions: { ifMatch: '"0x0"' } };
    expect(await attempt(source.url, changed)).toMatchObject({ statusCode: 412 });
    expect((await attempt('https://elsewhere.example/blob', authorized)).code).toBe('CannotVerifyCopySource');
    expect(await target.exists()).toBe(false);
  });

  test('is cut off with its source and leaves nothing', async () => {
    faults.add({
      service: 'blob',
      operation: 'BlobGet',
      where: { account: 'landing' },
      status: 503,
      code: 'ServerBusy',
    });
    const target = vault.getBlockBlobClient('cut');
    const cut = await failure(
      target.syncUploadFromURL(source.url, { sourceAuthorization: await sourceAuthorization() }),
    );
    expect(cut).toMatchObject({ statusCode: 503, code: 'CannotVerifyCopySource' });
    expect(await target.exists()).toBe(false);
  });
});

describe('The accounts', () => {
  test('serve their own blobs only', async () => {
    const foreign = storage.accounts.vault.blobUrl.replace('estatevault', 'estatelanding');
    const reply = await call({
      method: 'GET',
      url: `${foreign}/hsm-backups?restype=container`,
      headers: { authorization: `Bearer ${await token()}`, 'x-ms-version': '2025-11-05' },
    });
    expect(reply.status).toBe(404);
  });

  test('come back with their roles and policies', async () => {
    const blob = vault.getBlockBlobClient('kept');
    await blob.upload('x', 1);
    await blob.setImmutabilityPolicy({ expiriesOn: inDays(10), policyMode: 'Locked' });
    storage.accounts.vault.roles.set(IDENTITIES.rotate.objectId, 'none');
    const saved = JSON.parse(JSON.stringify(storage.save()));
    for (const { immutability, roles } of Object.values(storage.accounts)) {
      immutability.reset();
      roles.load([]);
    }
    storage.load(saved);
    expect(await failure(blob.delete())).toMatchObject(immutable);
    expect(storage.accounts.vault.roles.save()).toEqual([[IDENTITIES.rotate.objectId, 'none']]);
  });

  test('are emptied on demand, locked blobs included', async () => {
    await storage.deleteContents();
    expect(await all(vault.listBlobsFlat())).toEqual([]);
  });
});
