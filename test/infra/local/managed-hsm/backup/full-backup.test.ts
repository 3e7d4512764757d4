import {
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { beforeEach, describe, expect, test } from 'vitest';
import { IDENTITIES } from '../../../../../infra/local/identity/registrations.ts';
import { defaultBackupReadings } from '../../../../../infra/local/managed-hsm/backup/readings.ts';
import { ACCOUNTS } from '../../../../../infra/local/storage/accounts.ts';
import { type BackupHsm, backupBench } from './support.ts';

const bench = await backupBench();
const { clock, faults, landing, target, finished, backUp, storage } = bench;
const source = await bench.startHsm({ readings: { keysPerBlob: 2, thirtyMinuteRule: 'none' } });
const plant = (one: BackupHsm, name: string) =>
  one.hsm.seedKey({ name, kty: 'EC-HSM', crv: 'P-256', versions: 2, tags: { owner: 'ada' }, pooledMaterial: true });
for (const name of ['orders', 'invoices', 'archive']) await plant(source, name);
const { securityDomain } = source.hsm;
beforeEach(() => faults.clear());

const blobsIn = async (folder: string): Promise<string[]> => {
  const names: string[] = [];
  for await (const { name } of landing.listBlobsFlat({ prefix: `${folder}/` }))
    names.push(name.slice(folder.length + 1));
  return names;
};
const restoreOf = (folder: string) => ({ sasTokenParameters: target, folderToRestore: folder });
const names = (one: BackupHsm) => one.hsm.keys().keys.map(({ name }) => name);
const pathOf = (started: { headers: Record<string, unknown> }) =>
  new URL(String(started.headers['azure-asyncoperation'])).pathname;
const failed = (code: string, message: RegExp) => ({
  status: 200,
  body: { status: 'Failed', error: { code, innererror: null, message: expect.stringMatching(message) } },
});

describe('A full backup', () => {
  test('is accepted, polled and found in the folder that its last poll names', async () => {
    const started = await source.send('POST', '/backup', target);
    expect(started.status).toBe(202);
    expect(started.headers['retry-after']).toBe('10');
    expect(started.body).toMatchObject({ status: 'InProgress', endTime: null, azureStorageBlobContainerUri: null });
    expect(String(started.headers['azure-asyncoperation'])).toMatch(
      new RegExp(`^${source.hsm.uri}/backup/[0-9a-f]{32}/pending$`),
    );
    const early = await source.send('GET', pathOf(started));
    expect(early.headers['retry-after']).toBeUndefined();
    expect(early.body).toMatchObject({ status: 'InProgress' });
    clock.advance(55_000);
    const { body } = await source.send('GET', pathOf(started));
    expect(body).toMatchObject({ status: 'Succeeded', error: null, statusDetails: null });
    expect(Number(body.endTime) - Number(body.startTime)).toBeGreaterThanOrEqual(55);
    const folder = String(body.azureStorageBlobContainerUri).slice(landing.url.length + 1);
    expect(folder).toMatch(/^mhsm-contoso-\d{16}$/);
    expect(await blobsIn(folder)).toEqual([
      ...['access.bin', 'backup.json', 'keys-0001.bin', 'keys-0002.bin'],
      ...['partition-0001.bin', 'partition-0002.bin', 'partition-0003.bin'],
    ]);
  });

  test('holds the state of the HSM at the request', async () => {
    const started = await source.send('POST', '/backup', target);
    await plant(source, 'too-late');
    const done = await finished(source, started);
    const folder = String(done.body.azureStorageBlobContainerUri).split('/').at(-1) ?? '';
    await finished(source, await source.send('PUT', '/restore', restoreOf(folder)));
    expect(names(source)).toEqual(['archive', 'invoices', 'orders']);
  });

  test('names its folder with 14 digits when told to follow the documentation', async () => {
    source.backups.readings.folderStamp = 'documented';
    expect(await backUp(source)).toMatch(/^mhsm-contoso-\d{14}$/);
    source.backups.readings.folderStamp = defaultBackupReadings.folderStamp;
  });

  test('runs alone: a second one is refused with 409, and so is a restore', async () => {
    const started = await source.send('POST', '/backup', target);
    const second = await source.send('POST', '/backup', target);
    expect(second).toMatchObject({
      status: 409,
      body: { error: { code: 'Conflict', message: 'Another backup operation is in progress', innererror: null } },
    });
    expect((await source.send('PUT', '/restore', restoreOf('any'))).status).toBe(409);
    expect((await source.send('GET', '/keys')).status).toBe(200);
    expect((await finished(source, started)).body.status).toBe('Succeeded');
  });

  test('asks for its own rights', async () => {
    const denied = await source.send('POST', '/backup', target, IDENTITIES.consumer);
    expect(denied).toMatchObject({ status: 403, body: { error: { code: 'AccessDenied' } } });
  });

  test('answers 404 for a job it does not know, and for a job polled at the other address', async () => {
    const unknown = await source.send('GET', `/backup/${'0'.repeat(32)}/pending`);
    expect(unknown).toMatchObject({ status: 404, body: { error: { code: 'NotFound' } } });
    const started = await source.send('POST', '/prebackup', target);
    expect((await source.send('GET', pathOf(started).replace('backup', 'restore'))).status).toBe(404);
    expect((await source.send('GET', pathOf(started))).body.status).toBe('Succeeded');
  });

  test('is logged under the one name that is public', async () => {
    await backUp(source);
    expect(bench.rows.map(({ operationName }) => operationName)).toContain('BackupCreate');
  });

  test('streams partitions of any size', async () => {
    Object.assign(source.backups.readings, { partitionBlobs: 1, partitionBytes: 9_000_001 });
    const folder = await backUp(source);
    const { contentLength } = await landing.getBlobClient(`${folder}/partition-0001.bin`).getProperties();
    expect(contentLength).toBeGreaterThan(9_000_001);
    const restored = await finished(source, await source.send('PUT', '/restore', restoreOf(folder)));
    expect(restored.body.status).toBe('Succeeded');
    Object.assign(source.backups.readings, { partitionBlobs: 3, partitionBytes: 16_384 });
  });
});

describe('A full backup fails as a job', () => {
  const attempt = async (where: object = target) => finished(source, await source.send('POST', '/backup', where));

  test('when no identity is attached to the HSM', async () => {
    source.backups.identities.clear();
    expect(await attempt()).toMatchObject(failed('BadRequest', /identity/));
    source.backups.identities.add('backup');
  });

  test('when the identity has no data role on the account', async () => {
    const { roles } = storage.accounts.landing;
    roles.set(IDENTITIES.backup.objectId, 'Storage Blob Data Reader');
    expect(await attempt()).toMatchObject(failed('AuthorizationPermissionMismatch', /not authorized/));
    roles.set(IDENTITIES.backup.objectId, 'Storage Blob Data Contributor');
  });

  test('when the container does not exist, or the address is none of a container', async () => {
    const missing = { ...target, storageResourceUri: `${storage.accounts.landing.blobUrl}/nowhere` };
    const answer = await attempt(missing);
    expect(answer).toMatchObject(failed('ContainerNotFound', /./));
    expect(answer.body.statusDetails).toBe('ContainerNotFound');
    const account = { ...target, storageResourceUri: storage.accounts.landing.blobUrl };
    expect(await attempt(account)).toMatchObject(failed('InvalidQueryParameterValue', /container/));
  });

  test('when blobs of the container are immutable', async () => {
    const vault = { ...target, storageResourceUri: `${storage.accounts.vault.blobUrl}/hsm-backups` };
    expect(await attempt(vault)).toMatchObject(failed('BadRequest', /immutability policy/));
    storage.accounts.landing.immutability.setContainer('hsm-backups', { retentionDays: 1 });
    expect(await attempt()).toMatchObject(failed('BadRequest', /immutability policy/));
    storage.accounts.landing.immutability.setContainer('hsm-backups', {});
  });

  test('when the storage refuses a write', async () => {
    faults.add({
      service: 'blob',
      operation: '*',
      where: { container: 'hsm-backups' },
      status: 507,
      code: 'InsufficientStorage',
    });
    expect(await attempt()).toMatchObject(failed('InsufficientStorage', /./));
  });

  test('on demand, after 202, and leaves a folder that is no backup', async () => {
    faults.add({ service: 'hsm', operation: 'BackupCreate', effect: 'failJob', count: 1 });
    const started = await source.send('POST', '/backup', target);
    expect(started.status).toBe(202);
    expect(await finished(source, started)).toMatchObject(failed('InternalError', /fault/));
    expect(source.hsm.busy).toBeUndefined();
  });

  test('and refuses a SAS token at once, unless told to take one', async () => {
    const sas = (token: string) => ({ storageResourceUri: landing.url, token, useManagedIdentity: false });
    const malformed = await source.send('POST', '/backup', sas('sig=abc'));
    const text = 'The customer provided SAS token is malformed. The SAS token does not contain the expiry field';
    expect(malformed.text).toBe(JSON.stringify({ error: { code: 'BadRequest', message: text, innererror: null } }));
    const whole = sas(`se=${new Date(clock.now().getTime() + 2 * 86_400_000).toISOString()}&sp=crdw&sig=abc`);
    expect((await source.send('POST', '/backup', whole)).status).toBe(400);
    source.backups.readings.sasTokens = 'accept';
    expect((await source.send('POST', '/backup', sas('se=2020-01-01&sig=abc'))).status).toBe(400);
    expect(await attempt(whole)).toMatchObject(failed('AuthorizationFailure', /./));
    const { name, key } = ACCOUNTS.landing;
    const permissions = ContainerSASPermissions.parse('crdw');
    const grant = {
      containerName: 'hsm-backups',
      permissions,
      expiresOn: new Date(clock.now().getTime() + 2 * 86_400_000),
    };
    const signed = generateBlobSASQueryParameters(grant, new StorageSharedKeyCredential(name, key)).toString();
    expect((await attempt(sas(signed))).body.status).toBe('Succeeded');
    source.backups.readings.sasTokens = 'refuse';
  });
});

describe('Faults of a backup', () => {
  test('a lost reply before the effect starts nothing, one after it starts a job', async () => {
    faults.add({ service: 'hsm', operation: 'BackupCreate', lostReply: 'before', count: 1 });
    await expect(source.send('POST', '/backup', target)).rejects.toThrow();
    expect(source.backups.jobs.running).toBeUndefined();
    faults.add({ service: 'hsm', operation: 'BackupCreate', lostReply: 'after', count: 1 });
    await expect(source.send('POST', '/backup', target)).rejects.toThrow();
    expect((await source.send('POST', '/backup', target)).status).toBe(409);
    const { jobId } = source.backups.jobs.running ?? { jobId: '' };
    clock.advance(60_000);
    expect((await source.send('GET', `/backup/${jobId}/pending`)).body.status).toBe('Succeeded');
  });

  test('a 202 can say that the job has failed already', async () => {
    faults.add({ service: 'hsm', operation: 'BackupCreate', effect: 'failAtOnce', count: 1 });
    const started = await source.send('POST', '/backup', target);
    expect(started).toMatchObject({ status: 202, body: { status: 'Failed', statusDetails: 'ResourceNotFound' } });
    expect((await source.send('GET', pathOf(started))).body.status).toBe('Failed');
    expect(source.backups.jobs.running).toBeUndefined();
  });

  test('a stuck job runs until somebody ends it', async () => {
    faults.add({ service: 'hsm', operation: 'BackupCreate', effect: 'stuckJob', count: 1 });
    const started = await source.send('POST', '/backup', target);
    clock.advance(86_400_000);
    expect((await source.send('GET', pathOf(started))).body.status).toBe('InProgress');
    source.backups.endRunning('Ended by hand.');
    expect(await source.send('GET', pathOf(started))).toMatchObject(failed('InternalError', /by hand/));
  });

  test('a slow job takes ten times as long', async () => {
    faults.add({ service: 'hsm', operation: 'BackupCreate', effect: 'slowJob', count: 1 });
    const started = await source.send('POST', '/backup', target);
    clock.advance(300_000);
    expect((await source.send('GET', pathOf(started))).body.status).toBe('InProgress');
    clock.advance(300_000);
    expect((await source.send('GET', pathOf(started))).body.status).toBe('Succeeded');
  });

  test('a damaged backup succeeds and cannot be restored', async () => {
    faults.add({ service: 'hsm', operation: 'BackupCreate', effect: 'damagedBackup', count: 1 });
    const folder = await backUp(source);
    const answer = await finished(source, await source.send('PUT', '/restore', restoreOf(folder)));
    expect(answer).toMatchObject(failed('BadRequest', /access\.bin .* damaged/));
  });
});

describe('A job survives a restart of the estate', () => {
  test('and goes on where it was', async () => {
    const started = await source.send('POST', '/backup', target);
    const saved = JSON.parse(JSON.stringify(source.backups.save()));
    source.backups.stop();
    const restarted = await bench.startHsm({ securityDomain });
    restarted.backups.load(saved);
    expect((await restarted.send('POST', '/backup', target)).status).toBe(409);
    clock.advance(60_000);
    const done = await restarted.send('GET', pathOf(started));
    expect(done.body.status).toBe('Succeeded');
    expect(restarted.backups.completed).toHaveLength(source.backups.completed.length + 1);
    source.backups.reset();
  });

  test('a restore holds the HSM shut again after the restart', async () => {
    const folder = await backUp(source);
    const started = await source.send('PUT', '/restore', restoreOf(folder));
    const saved = JSON.parse(JSON.stringify(source.backups.save()));
    const restarted = await bench.startHsm({ securityDomain, readings: { thirtyMinuteRule: 'none' } });
    restarted.backups.load(saved);
    expect((await restarted.send('GET', '/keys')).status).toBe(409);
    clock.advance(60_000);
    expect((await restarted.send('GET', pathOf(started))).body.status).toBe('Succeeded');
    expect(names(restarted)).toEqual(['archive', 'invoices', 'orders']);
    source.backups.reset();
  });
});
