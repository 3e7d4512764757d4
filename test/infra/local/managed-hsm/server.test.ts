import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN, type Bench, NOBODY, OFFICER, OWNER, startHsm, token, USER } from './support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startHsm();
});
afterAll(() => bench.hsm.stop());

async function namesOf(items: AsyncIterable<{ name: string }>): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of items) names.push(name);
  return names;
}

describe('an unmodified KeyClient', () => {
  test('creates, reads, updates, lists, deletes, recovers and purges keys', async () => {
    const client = bench.client(OWNER);
    const made = await client.createEcKey('life', { curve: 'P-256', tags: { owner: 'ada' } });
    expect(made.id).toBe(`${bench.hsm.uri}/keys/life/${made.properties.version}`);
    expect(made.keyType).toBe('EC-HSM');
    expect((await client.getKey('life')).properties.version).toBe(made.properties.version);
    const updated = await client.updateKeyProperties('life', { enabled: false, tags: { owner: 'bob' } });
    expect(updated.properties).toMatchObject({ enabled: false, tags: { owner: 'bob' } });
    expect(await namesOf(client.listPropertiesOfKeys())).toContain('life');

    const deletion = await client.beginDeleteKey('life', { intervalInMs: 1 });
    const deleted = await deletion.pollUntilDone();
    expect(deleted.properties.recoveryId).toBe(`${bench.hsm.uri}/deletedkeys/life`);
    expect(await namesOf(client.listDeletedKeys())).toEqual(['life']);
    await expect(client.createEcKey('life')).rejects.toMatchObject({ statusCode: 409, code: 'Conflict' });

    const recovery = await client.beginRecoverDeletedKey('life', { intervalInMs: 1 });
    expect((await recovery.pollUntilDone()).properties.version).toBe(made.properties.version);
    await (await client.beginDeleteKey('life', { intervalInMs: 1 })).pollUntilDone();
    await client.purgeDeletedKey('life');
    await expect(client.getKey('life')).rejects.toMatchObject({ statusCode: 404, code: 'KeyNotFound' });
  });

  test('rotates under a policy, and the new version expires as the policy says', async () => {
    const client = bench.client();
    await client.createEcKey('rotated');
    await expect(client.rotateKey('rotated')).rejects.toMatchObject({ statusCode: 400 });
    await client.updateKeyRotationPolicy('rotated', {
      expiresIn: 'P90D',
      lifetimeActions: [{ action: 'Rotate', timeAfterCreate: 'P30D' }],
    });
    const policy = await client.getKeyRotationPolicy('rotated');
    expect(policy).toMatchObject({
      expiresIn: 'P90D',
      lifetimeActions: [{ action: 'Rotate', timeAfterCreate: 'P30D' }],
    });
    const { properties } = await client.rotateKey('rotated');
    expect(properties.expiresOn?.getTime()).toBe((properties.createdOn?.getTime() ?? 0) + 90 * 86_400_000);
  });

  test('backs up a key and restores it only when the name is free', async () => {
    const client = bench.client();
    const made = await client.createOctKey('kept', { keySize: 256 });
    const blob = await client.backupKey('kept');
    await expect(client.restoreKeyBackup(blob as Uint8Array)).rejects.toMatchObject({ statusCode: 409 });
    await bench.send('DELETE', '/keys/kept');
    await expect(client.restoreKeyBackup(blob as Uint8Array)).rejects.toMatchObject({ statusCode: 409 });
    await bench.send('DELETE', '/deletedkeys/kept', { as: OFFICER });
    const restored = await client.restoreKeyBackup(blob as Uint8Array);
    expect(restored.properties.version).toBe(made.properties.version);
  });

  test('draws random bytes', async () => {
    expect(await bench.client().getRandomBytes(32)).toHaveLength(32);
    expect((await bench.send('POST', '/rng', { body: { count: 129 } })).status).toBe(400);
  });
});

describe('authentication', () => {
  test('comes before the body is read, with the recorded challenge', async () => {
    const refused = await bench.send('POST', '/keys/x/create', { as: null, text: 'no json' });
    expect(refused).toMatchObject({ status: 401, text: '' });
    expect(refused.headers['www-authenticate']).toBe(
      'Bearer authorization="https://login.microsoftonline.com/00000000-0000-0000-0000-00000000aaaa", resource="https://managedhsm.azure.net"',
    );
    expect((await bench.send('GET', '/keys', { as: null })).text).toBe('OK');
  });

  test('refuses a wrong audience, an expired token and another tenant, and logs none of them', async () => {
    const before = bench.rows.length;
    const other = 'https://vault.azure.net';
    for (const given of [token(USER, { audience: other }), token(USER, { expired: true }), 'nonsense']) {
      expect(await bench.send('GET', '/keys', { token: given })).toMatchObject({ status: 401, text: 'OK' });
    }
    const foreign = await bench.send('GET', '/keys', { token: token(USER, { tenant: 'elsewhere' }) });
    expect(foreign.body.error?.message).toContain('AKV10032: Invalid issuer.');
    expect(bench.rows).toHaveLength(before);
  });
});

describe('every authenticated call', () => {
  test('is logged, refused ones too, with the activity id of the answer', async () => {
    const refused = await bench.send('POST', '/keys/secret/rotate', { as: NOBODY });
    const id = String(refused.headers['x-ms-request-id']);
    expect(refused).toMatchObject({ status: 403 });
    expect(refused.body.error).toEqual({
      code: 'AccessDenied',
      message: `Not authorized to access Microsoft.KeyVault/managedHsm/keys/rotate/action on /keys/secret (Activity ID: ${id})`,
    });
    expect(bench.rows.at(-1)).toMatchObject({
      operationName: 'KeyRotate',
      httpStatusCode: 403,
      correlationId: id,
      identity: { oid: NOBODY },
      id: `${bench.hsm.uri}/keys/secret`,
    });
    await bench.send('GET', '/nowhere');
    expect(bench.rows.at(-1)).toMatchObject({ operationName: 'Unknown', httpStatusCode: 404 });
  });

  test('needs a known api-version', async () => {
    expect((await bench.send('GET', '/keys?api-version=1.0')).body.error?.code).toBe('BadParameter');
  });
});

describe('restore mode', () => {
  test('refuses every call, and ends with the clock; backup mode refuses nothing', async () => {
    bench.hsm.setBusy({ kind: 'restore', until: new Date(bench.clock.now().getTime() + 60_000) });
    const refused = await bench.send('GET', '/settings', { as: ADMIN });
    expect(refused.status).toBe(409);
    expect(refused.body.error?.message).toContain('User triggered Restore operation is in progress');
    bench.clock.advance(60_000);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect((await bench.send('GET', '/settings', { as: ADMIN })).status).toBe(200);
    bench.hsm.setBusy({ kind: 'backup' });
    expect((await bench.send('GET', '/settings', { as: ADMIN })).status).toBe(200);
    bench.hsm.setBusy(undefined);
  });
});
