import { compactDecrypt, decodeProtectedHeader } from 'jose';
import { describe, expect, test } from 'vitest';
import { IDENTITIES } from '../../../../../infra/local/identity/registrations.ts';
import { downloadRequest, holdCeremony } from '../../../../../infra/local/security-domain-offline/ceremony.ts';
import { restoreBlob } from '../../../../../infra/local/security-domain-offline/restore-blob.ts';
import { type BackupHsm, backupBench } from '../backup/support.ts';

const bench = await backupBench();
const { clock } = bench;
const holders = await holdCeremony(['Ada', 'Grace', 'Hedy', 'Mary'], { now: clock.now() });
const certificates = holders.map(({ certificatePem }) => certificatePem);
const keys = holders.map(({ privateKeyPem }) => privateKeyPem);
const first = await bench.startHsm({});

interface TransferKey {
  x5c: string[];
  kid: string;
}

const download = (one: BackupHsm, required = 3) =>
  one.send('POST', '/securitydomain/download', downloadRequest(certificates, required));
const transferKeyOf = async (one: BackupHsm) =>
  (await one.send('GET', '/securitydomain/upload')).body.transfer_key as TransferKey;
const recovering = async (name: string) => {
  const one = await bench.startHsm({ name, activated: false, readings: { thirtyMinuteRule: 'none' } });
  return { one, transferKey: await transferKeyOf(one) };
};
const domainOfFirst = String((await download(first)).body.value);
clock.advance(10_000);

describe('Activation', () => {
  test('is what the first download of the security domain does', async () => {
    const fresh = await bench.startHsm({ name: 'fresh', activated: false });
    expect(await fresh.send('GET', '/keys')).toMatchObject({ status: 403, body: { error: { code: 'Forbidden' } } });
    const answer = await download(fresh);
    expect(answer).toMatchObject({ status: 202, headers: { 'retry-after': '5' } });
    expect(answer.headers['azure-asyncoperation']).toBe(`${fresh.hsm.uri}/securitydomain/download/pending`);
    const pending = () => fresh.send('GET', '/securitydomain/download/pending');
    expect((await pending()).body).toEqual({ status: 'InProgress', status_details: '' });
    expect((await fresh.send('GET', '/keys')).status).toBe(403);
    clock.advance(10_000);
    expect((await pending()).body).toEqual({ status: 'Success', status_details: 'The resource is active.' });
    expect((await fresh.send('GET', '/keys')).status).toBe(200);
  });

  test('survives a restart half-way', async () => {
    const before = await bench.startHsm({ name: 'restarted', activated: false });
    await download(before);
    const after = await bench.startHsm({ name: 'restarted', activated: false });
    after.domain.load(JSON.parse(JSON.stringify(before.domain.save())));
    clock.advance(10_000);
    expect((await after.send('GET', '/securitydomain/download/pending')).body.status).toBe('Success');
    expect(after.hsm.activated).toBe(true);
  });

  test('is for administrators', async () => {
    const body = downloadRequest(certificates, 3);
    const denied = await first.send('POST', '/securitydomain/download', body, IDENTITIES.backup);
    expect(denied).toMatchObject({ status: 403, body: { error: { code: 'AccessDenied' } } });
  });
});

describe('A downloaded security domain', () => {
  test('has the published structure', async () => {
    const domain = JSON.parse(Buffer.from(domainOfFirst, 'base64url').toString());
    expect(domain).toEqual({
      EncData: { data: [{ compact_jwe: expect.any(String), tag: 'hsm_backup' }] },
      SharedKeys: {
        enc_shares: Array(4).fill({ enc_key: expect.any(String), x5t_256: expect.stringMatching(/^[\w-]{43}$/) }),
        key_algorithm: 'shamir_share',
        required: 3,
      },
      version: 2,
    });
    expect(decodeProtectedHeader(domain.EncData.data[0].compact_jwe)).toEqual({
      ...{ alg: 'dir', enc: 'A256CBC-HS512', kid: 'hsm_backup' },
    });
    expect(decodeProtectedHeader(domain.SharedKeys.enc_shares[0].enc_key)).toEqual({
      ...{ alg: 'RSA-OAEP-256', enc: 'A256CBC-HS512', kid: 'not used' },
    });
    await expect(compactDecrypt(domain.EncData.data[0].compact_jwe, Buffer.alloc(64))).rejects.toThrow();
  });

  const spoilt: [string, (body: ReturnType<typeof downloadRequest>) => unknown][] = [
    ['two certificates', (body) => ({ ...body, certificates: body.certificates.slice(0, 2) })],
    ['a quorum of one', (body) => ({ ...body, required: 1 })],
    ['a quorum above the number of certificates', (body) => ({ ...body, required: 5 })],
    ['the same certificate twice', (body) => ({ ...body, certificates: [...body.certificates, body.certificates[0]] })],
    [
      'a key that is not the certificate’s',
      ({ certificates: [one, two, three], ...rest }) => ({
        ...rest,
        certificates: [{ ...one, n: two?.n }, two, three],
      }),
    ],
    [
      'a wrong thumbprint',
      ({ certificates: [one, two, three], ...rest }) => ({
        ...rest,
        certificates: [{ ...one, 'x5t#S256': two?.['x5t#S256'] }, two, three],
      }),
    ],
    [
      'no certificate in x5c',
      ({ certificates: [one, ...others], ...rest }) => ({
        ...rest,
        certificates: [{ ...one, x5c: ['AAAA'] }, ...others],
      }),
    ],
  ];
  test.each(spoilt)('is refused for %s', async (_what, spoil) => {
    const answer = await first.send('POST', '/securitydomain/download', spoil(downloadRequest(certificates, 3)));
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'BadParameter' } } });
  });
});

describe('Recovery', () => {
  test('gives a new HSM the domain of the old one, so that it restores its backups', async () => {
    await first.hsm.seedKey({ name: 'orders', kty: 'EC-HSM', crv: 'P-256', pooledMaterial: true });
    const folder = await bench.backUp(first);
    const { one, transferKey } = await recovering('second');
    expect(transferKey.kid).toBe(`${one.hsm.uri}/transfer_key`);
    const value = await restoreBlob({ securityDomain: domainOfFirst, privateKeysPem: keys.slice(1), transferKey });
    const uploaded = await one.send('POST', '/securitydomain/upload', { value });
    expect(uploaded).toMatchObject({ status: 202, body: { status: 'InProgress', status_details: '' } });
    expect((await one.send('GET', '/keys')).status).toBe(403);
    clock.advance(10_000);
    const done = await one.send('GET', '/securitydomain/upload/pending');
    expect(done.body).toEqual({ status: 'Success', status_details: 'The resource is active.' });
    const body = { sasTokenParameters: bench.target, folderToRestore: folder };
    expect((await bench.finished(one, await one.send('PUT', '/restore', body))).body.status).toBe('Succeeded');
    expect(one.hsm.contents()).toEqual(first.hsm.contents());
  });

  test('needs a quorum of the holders', async () => {
    const { transferKey } = await recovering('third');
    const attempt = restoreBlob({ securityDomain: domainOfFirst, privateKeysPem: keys.slice(0, 2), transferKey });
    await expect(attempt).rejects.toThrow('The quorum is 3 keys, and 2 of those given belong to it.');
  });

  test('fails for a domain that was wrapped for another HSM’s transfer key, and can be tried again', async () => {
    const [fourth, fifth] = await Promise.all([recovering('fourth'), recovering('fifth')]);
    const wrapFor = ({ transferKey }: { transferKey: TransferKey }) =>
      restoreBlob({ securityDomain: domainOfFirst, privateKeysPem: keys, transferKey });
    const upload = async (value: string) => {
      await fourth.one.send('POST', '/securitydomain/upload', { value });
      clock.advance(10_000);
      return (await fourth.one.send('GET', '/securitydomain/upload/pending')).body.status;
    };
    expect(await upload(await wrapFor(fifth))).toBe('Failed');
    expect(fourth.one.hsm.activated).toBe(false);
    expect(await upload(await wrapFor(fourth))).toBe('Success');
  });

  test('is for an HSM that is not activated, and takes nothing but a wrapped domain', async () => {
    expect((await first.send('GET', '/securitydomain/upload')).status).toBe(409);
    expect((await first.send('POST', '/securitydomain/upload', { value: 'x' })).status).toBe(409);
    const { one } = await recovering('sixth');
    expect((await one.send('POST', '/securitydomain/upload', { value: 'x' })).status).toBe(400);
    expect((await one.send('GET', '/securitydomain/upload/pending')).status).toBe(404);
    expect((await one.send('POST', '/securitydomain/download', downloadRequest(certificates, 3))).status).toBe(409);
  });

  test('outlives a new ceremony: the old copy still opens the same domain', async () => {
    await download(first, 2);
    const { one, transferKey } = await recovering('seventh');
    const value = await restoreBlob({ securityDomain: domainOfFirst, privateKeysPem: keys, transferKey });
    await one.send('POST', '/securitydomain/upload', { value });
    clock.advance(10_000);
    expect((await one.send('GET', '/securitydomain/upload/pending')).body.status).toBe('Success');
    expect(one.hsm.securityDomain).toEqual(first.hsm.securityDomain);
  });
});
