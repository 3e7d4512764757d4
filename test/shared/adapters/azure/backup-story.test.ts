import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { IDENTITIES } from '../../../../infra/local/identity/registrations.ts';
import { openByQuorum, sealForTransfer } from '../../../../infra/local/managed-hsm/security-domain/envelope.ts';
import { createRsaCertificate } from '../../../../infra/local/managed-hsm/security-domain/rsa-certificate.ts';
import { createBackupVault } from '../../../../shared/adapters/azure/backup-vault.ts';
import type { Identity } from '../../../../shared/adapters/azure/credentials.ts';
import { createHsmBackups } from '../../../../shared/adapters/azure/hsm-backups.ts';
import { createSecurityDomain } from '../../../../shared/adapters/azure/security-domain.ts';
import { createCertificates } from '../../../../shared/adapters/certificates.ts';
import { splitFolderUri } from '../../../../shared/backup/backup.ts';
import type { BackupVault } from '../../../../shared/ports/backup-vault.ts';
import type { HsmBackups, JobFamily, JobStart } from '../../../../shared/ports/hsm-backups.ts';
import type { SecurityDomain } from '../../../../shared/ports/security-domain.ts';
import { backupBench } from '../../../infra/local/managed-hsm/backup/support.ts';

// The adapters with unmodified SDKs against the embedded estate: its HSM, its landing account and its vault account.
const bench = await backupBench();
const { clock, storage, tokens } = bench;
const source = await bench.startHsm({});
const fresh = await bench.startHsm({ name: 'fresh', activated: false });
const recovering = await bench.startHsm({ name: 'recovering', activated: false });
const hsms = [source, fresh, recovering].map(({ hsm }) => ({ name: hsm.name, uri: hsm.uri }));
const landingContainerUrl = bench.landing.url;

const identity: Identity = {
  duty: 'backup',
  clientId: IDENTITIES.administrator.clientId,
  credential: async () => ({
    async getToken(scopes) {
      const audience = [scopes].flat()[0]?.replace('/.default', '') ?? '';
      const { token, expiresOn } = await tokens.forIdentity(IDENTITIES.administrator, audience, 86_400 * 365);
      return { token, expiresOnTimestamp: expiresOn * 1000 };
    },
  }),
};

let backups: HsmBackups;
let vault: BackupVault;
let domain: SecurityDomain;
let folder = '';
let folderUrl = '';

beforeAll(async () => {
  storage.accounts.vault.immutability.setContainer('hsm-backups', { versionLevel: true });
  backups = createHsmBackups({ hsms, identity });
  domain = createSecurityDomain({ hsms, identity });
  vault = createBackupVault({
    ...{ landingContainerUrl, vaultBlobUrl: storage.accounts.vault.blobUrl, identity, clock },
    blockBytes: 10_000,
  });
  await source.hsm.seedKey({ name: 'orders', kty: 'EC-HSM', crv: 'P-256', versions: 2, pooledMaterial: true });
});

/** The job of a start, once the clock has passed its time. */
async function ended(start: JobStart, family: JobFamily) {
  if (start.kind !== 'started') throw new Error(`Not started: ${JSON.stringify(start)}`);
  clock.advance(60_000);
  return backups.readJob('contoso', family, start.jobId);
}

test('a backup is checked, started, seen running, met as busy, and confirmed by its job', async () => {
  expect(await ended(await backups.preCheckBackup('contoso', landingContainerUrl), 'backup')).toMatchObject({
    kind: 'succeeded',
  });
  const start = await backups.startBackup('contoso', landingContainerUrl);
  expect(start).toMatchObject({ kind: 'started', retryAfterMs: 10_000 });
  const jobId = 'jobId' in start ? (start.jobId ?? '') : '';
  expect(await backups.readJob('contoso', 'backup', jobId)).toMatchObject({ kind: 'running' });
  expect(await backups.startBackup('contoso', landingContainerUrl)).toMatchObject({ kind: 'busy' });
  const done = await ended(start, 'backup');
  if (done.kind !== 'succeeded') throw new Error(JSON.stringify(done));
  folderUrl = done.job.folderUri ?? '';
  folder = splitFolderUri(folderUrl)?.folder ?? '';
  expect(await vault.landingFolders('mhsm-contoso-')).toEqual([folder]);
});

test('its blobs are copied by the account itself, read back, and locked', async () => {
  const listed = await vault.listLanding(folder);
  expect(listed.length).toBeGreaterThan(1);
  for (const blob of listed) {
    const copied = await vault.copy(folder, blob);
    if (copied.kind !== 'copied') throw new Error(`${blob.name}: ${copied.kind}`);
    expect(copied.way).toBe('serverSide');
    expect(await vault.hashVault(`${folder}/${blob.name}`)).toEqual({ size: copied.size, sha256: copied.sha256 });
  }
  expect((await vault.listVault(folder)).map(({ name, size }) => [name, size])).toEqual(
    listed.map(({ name, size }) => [name, size]),
  );
  const path = `${folder}/${listed[0]?.name}`;
  const until = new Date(clock.now().getTime() + 30 * 86_400_000).toISOString();
  await vault.lock(path, { mode: 'unlocked', until });
  await vault.lock(path, { mode: 'locked', until });
  expect(await vault.readLock(path)).toEqual({ mode: 'locked', until: expect.stringMatching(until.slice(0, 19)) });
  expect(await vault.remove(path)).toMatchObject({ kind: 'held', hold: { kind: 'locked' } });
  storage.accounts.vault.immutability.setLegalHold('hsm-backups', `${folder}/${listed[1]?.name}`, true);
  expect(await vault.listKept(folder)).toEqual(
    listed.map(({ name }) => ({
      path: `${folder}/${name}`,
      ...(name === listed[0]?.name
        ? { hold: { kind: 'locked', until: expect.stringMatching(until.slice(0, 19)) } }
        : {}),
      ...(name === listed[1]?.name ? { hold: { kind: 'legalHold' } } : {}),
    })),
  );
  storage.accounts.vault.immutability.setLegalHold('hsm-backups', `${folder}/${listed[1]?.name}`, false);
  const earlier = new Date(clock.now().getTime() + 86_400_000).toISOString();
  await expect(vault.lock(path, { mode: 'locked', until: earlier })).rejects.toThrow(/lock the copy/);
});

test('a restore asked for too soon is told so, in either form, and afterwards is done', async () => {
  expect(await backups.startRestore('contoso', folderUrl)).toMatchObject({ kind: 'tooSoon' });
  expect(await ended(await backups.preCheckRestore('contoso', folderUrl), 'restore')).toMatchObject({
    kind: 'failed',
    cause: 'tooSoon',
  });
  clock.advance(31 * 60_000);
  const running = await backups.startRestore('contoso', folderUrl);
  expect(await backups.startBackup('contoso', landingContainerUrl)).toMatchObject({ kind: 'busy' });
  expect(await ended(running, 'restore')).toMatchObject({ kind: 'succeeded' });
});

test('under the other reading of the rule a backup that is too old is told so', async () => {
  source.backups.readings.thirtyMinuteRule = 'within30';
  expect(await backups.startRestore('contoso', folderUrl)).toMatchObject({ kind: 'tooLate' });
  source.backups.readings.thirtyMinuteRule = 'none';
});

test('one key comes back, once its name is free', async () => {
  const taken = await backups.startKeyRestore({ hsm: 'contoso', name: 'orders' }, folderUrl);
  expect(taken.kind === 'started' ? (await ended(taken, 'restore')).kind : taken.kind).not.toBe('succeeded');
  await source.send('DELETE', '/keys/orders');
  await source.send('DELETE', '/deletedkeys/orders');
  const done = await ended(await backups.startKeyRestore({ hsm: 'contoso', name: 'orders' }, folderUrl), 'restore');
  expect(done).toMatchObject({ kind: 'succeeded', job: { statusDetails: expect.stringContaining('restored: 2') } });
});

test('a backup into a container that is missing fails in its job, with the reason', async () => {
  const start = await backups.startBackup('contoso', `${storage.accounts.landing.blobUrl}/nowhere`);
  const failed = start.kind === 'started' ? await ended(start, 'backup') : start;
  expect(failed).toMatchObject({ reason: expect.stringMatching(/./) });
  expect(failed.kind).not.toBe('succeeded');
});

test('a job that never was is not found', async () => {
  expect(await backups.readJob('contoso', 'backup', 'f'.repeat(32))).toEqual({ kind: 'notFound' });
});

test('a lost reply to a start is unknown, and the job behind it is met as busy', async () => {
  bench.faults.add({ service: 'hsm', operation: 'BackupCreate', lostReply: 'after', count: 1 });
  expect(await backups.startBackup('contoso', landingContainerUrl)).toMatchObject({ kind: 'unknown' });
  bench.faults.clear();
  expect(await backups.startBackup('contoso', landingContainerUrl)).toMatchObject({ kind: 'busy' });
  clock.advance(60_000);
});

test('a new HSM is activated with certificates that people handed in, and a second one recovered by their quorum', async () => {
  const holders = await Promise.all(
    ['Ada', 'Grace', 'Edsger'].map((commonName) =>
      createRsaCertificate({ commonName, notBefore: new Date('2026-01-01'), notAfter: new Date('2036-01-01') }),
    ),
  );
  const files = holders.map(({ certificatePem }) => createCertificates().read(Buffer.from(certificatePem)));
  const certificates = files.flatMap((file) =>
    file.kind === 'certificates' ? file.certificates.flatMap(({ wrappingKey }) => wrappingKey ?? []) : [],
  );
  const { blob } = await domain.download('fresh', { certificates, required: 2 });
  clock.advance(60_000);
  expect(await domain.readDownload('fresh')).toMatchObject({ kind: 'succeeded' });

  const { format, key: transferKey } = await domain.transferKey('recovering');
  expect(format).toBe('jwk');
  // Offline, by two of the three: the app sees neither their keys nor the domain.
  const opened = await openByQuorum(
    blob,
    holders.slice(0, 2).map(({ privateKeyPem }) => privateKeyPem),
  );
  const jwk = JSON.parse(transferKey) as JsonWebKey & { 'x5t#S256': string };
  expect(jwk.kty).toBe('RSA');
  const recipient = { key: createPublicKey({ key: jwk, format: 'jwk' }), thumbprint: jwk['x5t#S256'] };
  await domain.upload('recovering', await sealForTransfer(opened, recipient));
  clock.advance(60_000);
  expect(await domain.readUpload('recovering')).toMatchObject({ kind: 'succeeded' });
});
