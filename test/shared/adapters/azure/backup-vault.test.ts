import { createHash, randomBytes } from 'node:crypto';
import type { ContainerClient } from '@azure/storage-blob';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Listener, listen } from '../../../../infra/local/http.ts';
import type { StorageService } from '../../../../infra/local/storage/storage.ts';
import { createBackupVault, VAULT_CONTAINER } from '../../../../shared/adapters/azure/backup-vault.ts';
import type { BackupVault, ListedBlob } from '../../../../shared/ports/backup-vault.ts';
import { type Ground, startBlobs, startGround } from './estate.ts';

const BLOCK = 64 * 1024;
const clock = { now: () => new Date('2030-01-01T00:00:00Z') };

let ground: Ground;
let storage: StorageService;
let landing: ContainerClient;
let copies: ContainerClient;
let vault: BackupVault;
let folders = 0;

beforeAll(async () => {
  ground = await startGround();
  storage = await startBlobs(ground);
  const { BlobServiceClient } = await import('@azure/storage-blob');
  const account = new BlobServiceClient(storage.blobUrl, await ground.identity('backup').credential());
  landing = account.getContainerClient('landing');
  copies = account.getContainerClient(VAULT_CONTAINER);
  await Promise.all([landing.createIfNotExists(), copies.createIfNotExists()]);
  vault = createBackupVault({
    landingContainerUrl: landing.url,
    vaultBlobUrl: storage.blobUrl,
    identity: ground.identity('backup'),
    clock,
    blockBytes: BLOCK,
    serverSideCopy: false,
  });
});
afterEach(() => ground.faults.clear());
afterAll(async () => {
  await storage.stop();
  await ground.stop();
});

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A backup folder in the landing container with these blobs. */
async function aBackup(blobs: Record<string, Buffer>): Promise<{ folder: string; listed: ListedBlob[] }> {
  const folder = `mhsm-contoso-203001010000${String(folders++).padStart(2, '0')}`;
  for (const [name, bytes] of Object.entries(blobs))
    await landing.uploadBlockBlob(`${folder}/${name}`, bytes, bytes.length);
  return { folder, listed: await vault.listLanding(folder) };
}
const one = (listed: ListedBlob[]) => listed[0] as ListedBlob;

describe('a listing', () => {
  test('names the blobs of a folder with sizes, hashes and ETags', async () => {
    const { listed } = await aBackup({ 'keys/1': Buffer.from('one'), manifest: Buffer.from('two!') });
    expect(listed).toEqual([
      {
        name: 'keys/1',
        size: 3,
        etag: expect.stringMatching(/^".+"$/),
        md5: createHash('md5').update('one').digest('hex'),
      },
      { name: 'manifest', size: 4, etag: expect.any(String), md5: expect.any(String) },
    ]);
  });

  test('of folders finds what a lost reply has left', async () => {
    const { folder } = await aBackup({ a: Buffer.from('a') });
    expect(await vault.landingFolders('mhsm-contoso-')).toContain(folder);
    expect(await vault.landingFolders('mhsm-fabrikam-')).toEqual([]);
    expect(await vault.listLanding('mhsm-none')).toEqual([]);
  });

  test('of a container that is missing is a fault of the deployment', async () => {
    const elsewhere = createBackupVault({
      landingContainerUrl: `${storage.blobUrl}/nowhere`,
      vaultBlobUrl: storage.blobUrl,
      identity: ground.identity('backup'),
      clock,
    });
    await expect(elsewhere.listLanding('a')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    await expect(elsewhere.hashLanding('a', 'b')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });
});

describe('a copy', () => {
  test.each([0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 9 * BLOCK + 17])(
    'of %i bytes is the same byte for byte',
    async (size) => {
      const bytes = randomBytes(size);
      const { folder, listed } = await aBackup({ blob: bytes });
      const expected = { size, sha256: sha256(bytes) };
      expect(await vault.copy(folder, one(listed))).toEqual({
        kind: 'copied',
        way: 'streamed',
        resumed: 0,
        ...expected,
      });
      expect(await vault.hashVault(`${folder}/blob`)).toEqual(expected);
      expect(await vault.hashLanding(folder, 'blob')).toEqual(expected);
      expect(await vault.copy(folder, one(listed))).toEqual({ kind: 'present', ...expected });
    },
  );

  test('that was cut off sends what is missing and nothing else', async () => {
    const bytes = randomBytes(8 * BLOCK);
    const { folder, listed } = await aBackup({ blob: bytes });
    ground.faults.add({ service: 'blob', operation: 'BlockListPut', status: 403, code: 'AuthorizationFailure' });
    await expect(vault.copy(folder, one(listed))).rejects.toMatchObject({ code: 'ERR_DENIED' });
    ground.faults.clear();
    expect(await vault.listVault(folder)).toEqual([]);
    expect(await vault.copy(folder, one(listed))).toMatchObject({ kind: 'copied', resumed: 8, sha256: sha256(bytes) });
    expect(await vault.hashVault(`${folder}/blob`)).toMatchObject({ sha256: sha256(bytes) });
  });

  test('whose commit lost its reply counts as copied', async () => {
    const { folder, listed } = await aBackup({ blob: randomBytes(100) });
    ground.faults.add({ service: 'blob', operation: 'BlockListPut', lostReply: 'after', count: 1 });
    expect(['copied', 'present']).toContain((await vault.copy(folder, one(listed))).kind);
  });

  test('of a blob that changed or went since it was listed commits nothing', async () => {
    const { folder, listed } = await aBackup({ blob: randomBytes(3 * BLOCK) });
    await landing.uploadBlockBlob(`${folder}/blob`, Buffer.from('other'), 5);
    expect(await vault.copy(folder, one(listed))).toEqual({ kind: 'sourceChanged' });
    await landing.deleteBlob(`${folder}/blob`);
    expect(await vault.copy(folder, one(listed))).toEqual({ kind: 'sourceMissing' });
    expect(await vault.listVault(folder)).toEqual([]);
  });

  test('leaves another blob of its name as it is', async () => {
    const { folder, listed } = await aBackup({ blob: Buffer.from('backup') });
    await copies.uploadBlockBlob(`${folder}/blob`, Buffer.from('planted'), 7);
    expect(await vault.copy(folder, one(listed))).toEqual({ kind: 'occupied' });
    expect(await vault.hashVault(`${folder}/blob`)).toEqual({ size: 7, sha256: sha256(Buffer.from('planted')) });
  });

  test('that was tampered with afterwards does not read back as it was sent', async () => {
    const { folder, listed } = await aBackup({ blob: Buffer.from('backup') });
    const copied = await vault.copy(folder, one(listed));
    await copies.uploadBlockBlob(`${folder}/blob`, Buffer.from('backuq'), 6);
    expect(copied).toMatchObject({ sha256: sha256(Buffer.from('backup')) });
    expect(await vault.hashVault(`${folder}/blob`)).not.toMatchObject({ sha256: sha256(Buffer.from('backup')) });
    expect(await vault.hashVault(`${folder}/none`)).toBeUndefined();
  });

  test('that the account cannot fetch by itself is sent through us', async () => {
    const bytes = randomBytes(2 * BLOCK + 5);
    const { folder, listed } = await aBackup({ blob: bytes });
    const asking = createBackupVault({
      landingContainerUrl: landing.url,
      vaultBlobUrl: storage.blobUrl,
      identity: ground.identity('backup'),
      clock,
      blockBytes: BLOCK,
    });
    ground.faults.add({
      service: 'blob',
      operation: 'BlockPutFromUrl',
      status: 403,
      code: 'CannotVerifyCopySource',
    });
    expect(await asking.copy(folder, one(listed))).toMatchObject({ kind: 'copied', sha256: sha256(bytes) });
    expect(await vault.hashVault(`${folder}/blob`)).toMatchObject({ sha256: sha256(bytes) });
  });

  test('into an account that refuses ends in its reason', async () => {
    const { folder, listed } = await aBackup({ blob: Buffer.from('backup') });
    ground.faults.add({ service: 'blob', operation: 'BlockPut', status: 409, code: 'AccountIsDisabled' });
    await expect(vault.copy(folder, one(listed))).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_/) });
    expect(await vault.listVault(folder)).toEqual([]);
  });
});

describe('a document beside the copies', () => {
  test('is written once, and read with its hash', async () => {
    const path = 'documents/manifest.json';
    const written = await vault.writeJson(path, { keys: 3 });
    expect(written).toEqual({ kind: 'stored', sha256: sha256(Buffer.from('{"keys":3}')) });
    expect(await vault.writeJson(path, { keys: 3 })).toEqual({ ...written, kind: 'present' });
    expect(await vault.writeJson(path, { keys: 4 })).toEqual({ kind: 'occupied' });
    expect(await vault.readJson(path)).toEqual({ value: { keys: 3 }, sha256: 'sha256' in written && written.sha256 });
    expect(await vault.readJson('documents/none.json')).toBeUndefined();
  });

  test('that is not JSON any more is called tampering', async () => {
    await copies.uploadBlockBlob('documents/torn.json', Buffer.from('{"keys":'), 8);
    await expect(vault.readJson('documents/torn.json')).rejects.toMatchObject({ code: 'ERR_INPUT' });
  });
});

test('a copy that is not locked is removed, and removing it again finds nothing', async () => {
  const { folder, listed } = await aBackup({ blob: Buffer.from('backup') });
  await vault.copy(folder, one(listed));
  expect(await vault.remove(`${folder}/blob`)).toEqual({ kind: 'removed' });
  expect(await vault.remove(`${folder}/blob`)).toEqual({ kind: 'missing' });
});

describe('a lock', () => {
  const UNTIL = '2030-02-01T00:00:00.000Z';
  /** Version-level immutability as Azure answers it. Source: https://learn.microsoft.com/rest/api/storageservices/set-blob-immutability-policy */
  let server: Listener;
  let locked: BackupVault;
  let policy: { until: string; mode: string } | undefined;
  let refusesDelete: string | undefined;
  /** On a version that a newer one hides. */
  let legalHold = false;
  const seen: string[] = [];

  beforeAll(async () => {
    server = await listen({
      tls: ground.estate.tls,
      origin: 'https://localhost',
      async handle({ method, url, headers }) {
        seen.push(`${method} ${url.searchParams.get('comp') ?? url.searchParams.get('versionid') ?? ''}`.trim());
        if (url.pathname.endsWith('/none')) return { status: 404, headers: { 'x-ms-error-code': 'BlobNotFound' } };
        if (url.searchParams.get('comp') === 'immutabilityPolicies') {
          const until = String(headers['x-ms-immutability-policy-until-date']);
          policy = { until, mode: String(headers['x-ms-immutability-policy-mode']) };
          return { status: 200 };
        }
        if (url.searchParams.get('comp') === 'list') {
          return { status: 200, headers: { 'content-type': 'application/xml' }, body: versionsOf(policy, legalHold) };
        }
        if (method === 'HEAD') {
          const shown = policy && {
            'x-ms-immutability-policy-until-date': policy.until,
            'x-ms-immutability-policy-mode': policy.mode.toLowerCase(),
          };
          return { status: 200, headers: { etag: '"1"', ...shown } };
        }
        if (method === 'DELETE') {
          return refusesDelete ? { status: 409, headers: { 'x-ms-error-code': refusesDelete } } : { status: 202 };
        }
        return { status: 404, headers: {} };
      },
    });
    locked = createBackupVault({
      landingContainerUrl: landing.url,
      vaultBlobUrl: `https://localhost:${server.port}/vault`,
      identity: ground.identity('backup'),
      clock,
    });
  });
  afterEach(() => {
    policy = undefined;
    refusesDelete = undefined;
    legalHold = false;
    seen.splice(0);
  });
  afterAll(() => server.close());

  /** Names, versions and what holds them, as List Blobs shows it. https://learn.microsoft.com/rest/api/storageservices/list-blobs */
  const versionsOf = (shown: typeof policy, held: boolean) => {
    const lock = shown
      ? `<ImmutabilityPolicyUntilDate>${shown.until}</ImmutabilityPolicyUntilDate><ImmutabilityPolicyMode>${shown.mode.toLowerCase()}</ImmutabilityPolicyMode>`
      : '';
    const blobs = [
      ['f/blob', '2030-01-01T00:00:00.0000000Z', lock],
      ['f/blob', '2029-12-01T00:00:00.0000000Z', held ? '<LegalHold>true</LegalHold>' : ''],
      ['f/blob-of-another', '2030-01-01T00:00:00.0000000Z', ''],
    ].map(
      ([name, version, held]) =>
        `<Blob><Name>${name}</Name><VersionId>${version}</VersionId><Properties>${held}</Properties></Blob>`,
    );
    return `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://localhost/" ContainerName="hsm-backups"><Blobs>${blobs.join('')}</Blobs><NextMarker/></EnumerationResults>`;
  };
  const deletions = () => seen.filter((call) => call.startsWith('DELETE'));

  test('is set as it was asked for, and read back', async () => {
    expect(await locked.readLock('f/blob')).toBeUndefined();
    await locked.lock('f/blob', { mode: 'locked', until: UNTIL });
    expect(policy?.mode).toBe('Locked');
    expect(await locked.readLock('f/blob')).toEqual({ mode: 'locked', until: UNTIL });
    await locked.lock('f/blob', { mode: 'unlocked', until: UNTIL });
    expect(await locked.readLock('f/blob')).toEqual({ mode: 'unlocked', until: UNTIL });
    await expect(locked.readLock('f/none')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  test('keeps a copy from being removed, without even trying', async () => {
    await locked.lock('f/blob', { mode: 'unlocked', until: UNTIL });
    expect(await locked.remove('f/blob')).toEqual({ kind: 'held', hold: { kind: 'locked', until: UNTIL } });
    expect(deletions()).toEqual([]);
  });

  test('of the legal kind does so as well, though it is on a hidden version alone', async () => {
    legalHold = true;
    expect(await locked.remove('f/blob')).toEqual({ kind: 'held', hold: { kind: 'legalHold' } });
    expect(deletions()).toEqual([]);
  });

  test('is seen in the listing of what is left, each path once', async () => {
    expect(await locked.listKept('f/')).toEqual([{ path: 'f/blob' }, { path: 'f/blob-of-another' }]);
    await locked.lock('f/blob', { mode: 'locked', until: UNTIL });
    legalHold = true;
    expect(await locked.listKept('f/')).toEqual([
      { path: 'f/blob', hold: { kind: 'locked', until: UNTIL } },
      { path: 'f/blob-of-another' },
    ]);
  });

  test('that has run out lets the copy go, with every version of it and of no other', async () => {
    await locked.lock('f/blob', { mode: 'locked', until: '2029-12-31T00:00:00.000Z' });
    expect(await locked.remove('f/blob')).toEqual({ kind: 'removed' });
    expect(deletions()).toEqual([
      'DELETE',
      'DELETE 2030-01-01T00:00:00.0000000Z',
      'DELETE 2029-12-01T00:00:00.0000000Z',
    ]);
  });

  test.each([
    ['BlobImmutableDueToPolicy', 'locked'],
    ['BlobImmutableDueToLegalHold', 'legalHold'],
  ])('that only the service knows of is respected: %s', async (code, kind) => {
    refusesDelete = code;
    expect(await locked.remove('f/blob')).toEqual({ kind: 'held', hold: { kind } });
  });
});

describe('copying back', () => {
  test('puts a verified copy where an HSM can read it, once, and leaves another blob of that name as it is', async () => {
    const bytes = randomBytes(2 * BLOCK + 5);
    const { folder, listed } = await aBackup({ a: bytes });
    await vault.copy(folder, one(listed));
    await landing.getBlockBlobClient(`${folder}/a`).delete();
    const copied = one(await vault.listVault(folder));
    expect(await vault.copyBack(folder, copied)).toMatchObject({ kind: 'copied', sha256: sha256(bytes) });
    expect(await vault.copyBack(folder, copied)).toMatchObject({ kind: 'present', sha256: sha256(bytes) });
    expect(await vault.hashLanding(folder, 'a')).toEqual({ size: bytes.length, sha256: sha256(bytes) });
    await landing.uploadBlockBlob(`${folder}/a`, 'other', 5);
    expect(await vault.copyBack(folder, copied)).toEqual({ kind: 'occupied' });
  });
});
