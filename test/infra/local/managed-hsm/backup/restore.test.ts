import { beforeEach, describe, expect, test } from 'vitest';
import { IDENTITIES } from '../../../../../infra/local/identity/registrations.ts';
import { type BackupHsm, backupBench } from './support.ts';

const bench = await backupBench();
const { clock, faults, landing, target, finished, backUp } = bench;
const source = await bench.startHsm({ readings: { thirtyMinuteRule: 'none' } });
const plant = (one: BackupHsm, name: string) =>
  one.hsm.seedKey({ name, kty: 'EC-HSM', crv: 'P-256', versions: 2, tags: { owner: 'ada' }, pooledMaterial: true });
for (const name of ['orders', 'invoices']) await plant(source, name);
const { securityDomain } = source.hsm;
const folder = await backUp(source);
const backedUp = source.hsm.contents();
beforeEach(() => {
  faults.clear();
  source.hsm.replaceContents(backedUp);
});

const restoreOf = (name: string) => ({ sasTokenParameters: target, folderToRestore: name });
const names = (one: BackupHsm) => one.hsm.keys().keys.map(({ name }) => name);
const failed = (code: string, message: RegExp) => ({
  status: 200,
  body: { status: 'Failed', error: { code, innererror: null, message: expect.stringMatching(message) } },
});

describe('A full restore', () => {
  test('puts keys, versions, tags and role assignments into another HSM of the same security domain', async () => {
    const drill = await bench.startHsm({ name: 'drill', securityDomain, readings: { thirtyMinuteRule: 'none' } });
    await plant(drill, 'leftover');
    const started = await drill.send('PUT', '/restore', restoreOf(folder));
    expect(started.status).toBe(202);
    expect(Object.keys(started.body)).toEqual(['endTime', 'error', 'jobId', 'startTime', 'status', 'statusDetails']);
    expect((await finished(drill, started)).body).toMatchObject({ status: 'Succeeded', statusDetails: null });
    expect(drill.hsm.contents()).toEqual(backedUp);
  });

  test('shuts every other call out while it runs', async () => {
    const started = await source.send('PUT', '/restore', restoreOf(folder));
    for (const [method, path] of [
      ['GET', '/keys'],
      ['POST', '/backup'],
      ['GET', '/settings'],
    ] as const) {
      const refused = await source.send(method, path, method === 'POST' ? target : undefined);
      expect(refused.status).toBe(409);
      expect(refused.body.error?.message).toMatch(/^User triggered Restore operation is in progress/);
    }
    await finished(source, started);
    expect((await source.send('GET', '/keys')).status).toBe(200);
  });

  test('fails under another security domain and changes nothing', async () => {
    const stranger = await bench.startHsm({ name: 'stranger', readings: { thirtyMinuteRule: 'none' } });
    await plant(stranger, 'mine');
    const answer = await finished(stranger, await stranger.send('PUT', '/restore', restoreOf(folder)));
    expect(answer).toMatchObject(failed('BadRequest', /another security domain/));
    expect(names(stranger)).toEqual(['mine']);
    expect((await stranger.send('GET', '/keys')).status).toBe(200);
  });

  test('fails when the folder is missing', async () => {
    const answer = await finished(source, await source.send('PUT', '/restore', restoreOf('mhsm-contoso-1')));
    expect(answer).toMatchObject(failed('BlobNotFound', /./));
  });

  const damage: [string, (name: string) => Promise<unknown>][] = [
    [
      'a blob was altered',
      async (name) => {
        const blob = landing.getBlockBlobClient(`${name}/keys-0001.bin`);
        const bytes = await blob.downloadToBuffer();
        bytes.writeUInt8((bytes.at(-40) ?? 0) ^ 1, bytes.length - 40);
        await blob.uploadData(bytes);
      },
    ],
    [
      'a blob was cut short',
      async (name) => {
        const blob = landing.getBlockBlobClient(`${name}/partition-0002.bin`);
        await blob.uploadData((await blob.downloadToBuffer()).subarray(0, 1000));
      },
    ],
    ['a blob is gone', (name) => landing.deleteBlob(`${name}/access.bin`)],
    [
      'two blobs were exchanged',
      async (name) => {
        const [one, two] = ['partition-0001.bin', 'partition-0002.bin'].map((part) =>
          landing.getBlockBlobClient(`${name}/${part}`),
        );
        const bytes = await one?.downloadToBuffer();
        await two?.uploadData(bytes ?? Buffer.alloc(0));
      },
    ],
    [
      'the index leaves a blob out',
      async (name) => {
        const blob = landing.getBlockBlobClient(`${name}/backup.json`);
        const index = JSON.parse((await blob.downloadToBuffer()).toString());
        await blob.uploadData(Buffer.from(JSON.stringify({ ...index, blobs: index.blobs.slice(1) })));
      },
    ],
    [
      'the index is no index',
      (name) => landing.getBlockBlobClient(`${name}/backup.json`).uploadData(Buffer.from('{}')),
    ],
  ];
  test.each(damage)('fails when %s, and changes nothing', async (_what, harm) => {
    const harmed = await backUp(source);
    await harm(harmed);
    await plant(source, 'newer');
    const answer = await finished(source, await source.send('PUT', '/restore', restoreOf(harmed)));
    expect(answer.body.status).toBe('Failed');
    expect(answer.body.error?.code).toMatch(/^(BadRequest|BlobNotFound)$/);
    expect(names(source)).toContain('newer');
  });

  test('asks for its own rights', async () => {
    expect((await source.send('PUT', '/restore', restoreOf(folder), IDENTITIES.backup)).status).toBe(403);
  });
});

const target30 = await bench.startHsm({ name: 'rule', securityDomain });

describe('The 30-minute rule', () => {
  test('by today’s text refuses until a backup of the target is half an hour old', async () => {
    const rule = /at least 30 minutes/;
    const refused = await target30.send('PUT', '/restore', restoreOf(folder));
    expect(refused).toMatchObject({ status: 400, body: { error: { message: expect.stringMatching(rule) } } });
    await backUp(target30);
    expect((await target30.send('PUT', '/restore', restoreOf(folder))).status).toBe(400);
    const checked = await finished(target30, await target30.send('PUT', '/prerestore', restoreOf(folder)));
    expect(checked).toMatchObject(failed('BadRequest', rule));
    clock.advance(1_800_000);
    const checkedAgain = await finished(target30, await target30.send('PUT', '/prerestore', restoreOf(folder)));
    expect(checkedAgain.body.status).toBe('Succeeded');
    const done = await finished(target30, await target30.send('PUT', '/restore', restoreOf(folder)));
    expect(done.body.status).toBe('Succeeded');
  });

  test('by the text until 2022 refuses when the last backup of the target is older than that', async () => {
    target30.backups.readings.thirtyMinuteRule = 'within30';
    const refused = await target30.send('PUT', '/restore', restoreOf(folder));
    expect(refused).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringMatching(/within the last/) } },
    });
    await backUp(target30);
    const done = await finished(target30, await target30.send('PUT', '/restore', restoreOf(folder)));
    expect(done.body.status).toBe('Succeeded');
  });

  test('can refuse after 202 instead', async () => {
    Object.assign(target30.backups.readings, { thirtyMinuteRule: 'within30', thirtyMinuteRefusal: 'failedJob' });
    clock.advance(3_600_000);
    const started = await target30.send('PUT', '/restore', restoreOf(folder));
    expect(started.status).toBe(202);
    expect(await finished(target30, started)).toMatchObject(failed('BadRequest', /within the last/));
  });
});

describe('A selective restore', () => {
  const selective = { sasTokenParameters: target, folder };

  test('brings one purged key back with all versions and says how many', async () => {
    expect((await source.send('DELETE', '/keys/orders')).status).toBe(200);
    expect((await source.send('DELETE', '/deletedkeys/orders')).status).toBe(204);
    await plant(source, 'later');
    const done = await finished(source, await source.send('PUT', '/keys/orders/restore', selective));
    expect(done.body).toMatchObject({
      status: 'Succeeded',
      statusDetails: 'Number of successful key versions restored: 2, Number of key versions could not overwrite: 0',
    });
    expect(names(source)).toEqual(['invoices', 'later', 'orders']);
  });

  test('fails for a key that is active, soft-deleted or not in the backup', async () => {
    const attempt = async (name: string) =>
      (await finished(source, await source.send('PUT', `/keys/${name}/restore`, selective))).body;
    expect(await attempt('orders')).toMatchObject({ status: 'Failed', error: { code: 'Conflict' } });
    await source.send('DELETE', '/keys/orders');
    expect(await attempt('orders')).toMatchObject({ status: 'Failed', error: { code: 'Conflict' } });
    expect(await attempt('nothing')).toMatchObject({ status: 'Failed', error: { code: 'KeyNotFound' } });
  });

  test('leaves the data plane open when told that it does', async () => {
    source.backups.readings.selectiveRestoreBlocks = false;
    await source.send('DELETE', '/deletedkeys/orders');
    const started = await source.send('PUT', '/keys/orders/restore', selective);
    expect(started.status).toBe(202);
    expect((await source.send('GET', '/keys')).status).toBe(200);
    await finished(source, started);
  });
});
