import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createManagedHsm } from '../../../../infra/local/managed-hsm/server.ts';
import { ADMIN, type Bench, OFFICER, OWNER, startHsm, until } from './support.ts';

const DAY = 86_400_000;

let bench: Bench;
beforeAll(async () => {
  bench = await startHsm();
});
afterAll(() => bench.hsm.stop());

const create = (name: string, body: Record<string, unknown> = { kty: 'EC-HSM' }) =>
  bench.send('POST', `/keys/${name}/create`, { body });
const state = (name: string) => bench.hsm.keys().keys.find((key) => key.name === name);

describe('create and import', () => {
  test.each([
    ['an unknown type', { kty: 'AKP-HSM' }],
    ['an unsupported size', { kty: 'RSA-HSM', key_size: 1024 }],
    ['an unsupported curve', { kty: 'EC-HSM', crv: 'Ed25519' }],
    ['an operation the type cannot do', { kty: 'EC-HSM', key_ops: ['encrypt'] }],
    [
      'sixteen tags',
      { kty: 'EC-HSM', tags: Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`t${at}`, ''])) },
    ],
    ['a tag that is too long', { kty: 'EC-HSM', tags: { a: 'x'.repeat(257) } }],
    ['an expiry that is no number', { kty: 'EC-HSM', attributes: { exp: 'tomorrow' } }],
    ['exportable without a release policy', { kty: 'EC-HSM', attributes: { exportable: true } }],
  ])('refuse %s', async (_what, body) => {
    expect((await create('refused', body)).body.error?.code).toBe('BadParameter');
    expect(state('refused')).toBeUndefined();
  });

  test('refuse names with other characters, bodies that are no JSON, and release policies without a version', async () => {
    expect((await create('under_score')).status).toBe(400);
    expect((await bench.send('POST', '/keys/x/create', { text: '{' })).status).toBe(400);
    expect((await bench.send('POST', '/keys/x/create')).status).toBe(400);
    const release_policy = { data: Buffer.from('{}').toString('base64url') };
    const answer = await create('x', { kty: 'EC-HSM', attributes: { exportable: true }, release_policy });
    expect(answer.body.error?.message).toContain("Key Release Policy: missing 'version' property");
  });

  test('on an existing name add a version, and an imported key keeps its numbers', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const jwk = privateKey.export({ format: 'jwk' });
    await create('mixed');
    const imported = await bench.send('PUT', '/keys/mixed', {
      body: { Hsm: true, key: { ...jwk, key_ops: ['sign'] } },
    });
    expect(imported.body.key).toMatchObject({ kty: 'EC-HSM', crv: 'P-384', x: jwk.x, y: jwk.y, key_ops: ['sign'] });
    expect(imported.text).not.toContain(String(jwk.d));
    expect(state('mixed')?.versions.map(({ imported }) => imported)).toEqual([false, true]);
    const byok = await bench.send('PUT', '/keys/mixed', { body: { key: { kty: 'RSA-HSM', key_hsm: 'AAAA' } } });
    expect(byok.body.error?.message).toContain('key_hsm');
  });
});

describe('update', () => {
  test('replaces tags whole, leaves alone what it does not name, and can name a version', async () => {
    const first = await create('changing', { kty: 'EC-HSM', tags: { a: '1', b: '2' } });
    const version = String((first.body.key as { kid: string }).kid.split('/').at(-1));
    await create('changing');
    await bench.send('PATCH', `/keys/changing/${version}`, { body: { tags: { c: '3' }, attributes: { exp: 4e9 } } });
    await bench.send('PATCH', `/keys/changing/${version}`, { body: { attributes: { enabled: false } } });
    const [old, latest] = state('changing')?.versions ?? [];
    expect(old).toMatchObject({ tags: { c: '3' }, attributes: { enabled: false, exp: 4e9 } });
    expect(latest).toMatchObject({ tags: {}, attributes: { enabled: true } });
    expect((await bench.send('GET', '/keys/changing/')).body.key).toMatchObject({ kid: latest?.kid });
    expect((await bench.send('GET', `/keys/changing/${'0'.repeat(32)}`)).status).toBe(404);
  });
});

describe('soft delete', () => {
  test('ends by the clock when the retention is over', async () => {
    await create('timed');
    const deleted = await bench.send('DELETE', '/keys/timed');
    const { deletedDate, scheduledPurgeDate } = deleted.body as { deletedDate: number; scheduledPurgeDate: number };
    expect(scheduledPurgeDate - deletedDate).toBe(7 * 86_400);
    bench.clock.advance(7 * DAY);
    await until(() => bench.hsm.keys().deletedKeys.length === 0);
    expect((await bench.send('GET', '/deletedkeys/timed', { as: OFFICER })).status).toBe(404);
    expect((await create('timed')).status).toBe(200);
  });

  test('cannot be cut short under purge protection', async () => {
    const guarded = await startHsm({ purgeProtection: true, retentionDays: 90 });
    await guarded.hsm.seedKey({ name: 'k', kty: 'EC-HSM' });
    const deleted = await guarded.send('DELETE', '/keys/k');
    expect(deleted.body.attributes).toMatchObject({ recoveryLevel: 'Recoverable', recoverableDays: 90 });
    expect((await guarded.send('DELETE', '/deletedkeys/k', { as: OFFICER })).status).toBe(403);
    guarded.clock.advance(90 * DAY);
    await until(() => guarded.hsm.keys().deletedKeys.length === 0);
    await guarded.hsm.stop();
  });
});

describe('paging', () => {
  test('gives each key and each version exactly once, whatever the page size', async () => {
    const paged = await startHsm();
    const expected = Array.from({ length: 57 }, (_, at) => `key-${at}`);
    for (const name of expected) {
      await paged.hsm.seedKey({ name, kty: 'EC-HSM', pooledMaterial: true, versions: name === 'key-7' ? 97 : 1 });
    }
    const walk = async (path: string, size?: number) => {
      const kids: string[] = [];
      let next: string | undefined = `${path}${size === undefined ? '' : `?maxresults=${size}`}`;
      let pages = 0;
      while (next) {
        const { body, status } = await paged.send('GET', next);
        expect(status).toBe(200);
        const value = body.value as { kid: string }[];
        expect(value.length).toBeLessThanOrEqual(size ?? 25);
        kids.push(...value.map(({ kid }) => kid));
        next = (body.nextLink as string | undefined)?.slice(paged.hsm.uri.length);
        pages++;
      }
      return { kids, pages };
    };
    const uris = expected.map((name) => `${paged.hsm.uri}/keys/${name}`).sort();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 25 }), async (size) => {
        const { kids, pages } = await walk('/keys', size);
        expect([...kids].sort()).toEqual(uris);
        expect(pages).toBe(Math.ceil(57 / size));
      }),
      { numRuns: 5 },
    );
    expect((await walk('/keys')).pages).toBe(3);
    const listed = (await walk('/keys/key-7/versions')).kids;
    expect(new Set(listed).size).toBe(97);
    const seen: string[] = [];
    for await (const properties of paged.client().listPropertiesOfKeyVersions('key-7'))
      seen.push(properties.version ?? '');
    expect(seen).toHaveLength(97);
    for (const bad of ['maxresults=0', 'maxresults=26', 'maxresults=x', '$skiptoken=abc']) {
      expect((await paged.send('GET', `/keys?${bad}`)).status).toBe(400);
    }
    await paged.hsm.stop();
  });
});

describe('key backups', () => {
  test('open on an HSM of the same security domain and on no other', async () => {
    await create('moved', { kty: 'oct-HSM', tags: { owner: 'ada' } });
    const { body } = await bench.send('POST', '/keys/moved/backup');
    const twin = await startHsm({ name: 'twin', securityDomain: bench.hsm.securityDomain });
    const stranger = await startHsm({ name: 'stranger' });
    const restored = await twin.send('POST', '/keys/restore', { body });
    expect(restored.body).toMatchObject({ tags: { owner: 'ada' } });
    expect((restored.body.key as { kid: string }).kid).toContain(`${twin.hsm.uri}/keys/moved/`);
    expect((await stranger.send('POST', '/keys/restore', { body })).body.error?.message).toContain('security domain');
    const damaged = Buffer.from(String(body.value), 'base64url');
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    const again = { value: damaged.toString('base64url') };
    expect((await twin.send('POST', '/keys/restore', { body: again })).status).toBe(400);
    await Promise.all([twin.hsm.stop(), stranger.hsm.stop()]);
  });
});

describe('faults', () => {
  const fault = (rule: Record<string, unknown>) =>
    bench.estate.faults.add({ service: 'hsm', operation: '*', count: 1, ...rule });

  test('answer in place of the service', async () => {
    fault({ operation: 'KeyRotate', where: { key: 'other' }, status: 503 });
    fault({
      operation: 'KeyGet',
      where: { hsm: 'contoso', key: 'mixed' },
      status: 429,
      code: 'Throttled',
      headers: { 'retry-after': '3' },
    });
    const refused = await bench.send('GET', '/keys/mixed');
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '3' } });
    expect(bench.rows.at(-1)).toMatchObject({ operationName: 'KeyGet', httpStatusCode: 429 });
    expect((await bench.send('GET', '/keys/mixed')).status).toBe(200);
    bench.estate.faults.clear();
  });

  test('lose the reply before or after the effect', async () => {
    fault({ operation: 'KeyCreate', lostReply: 'before' });
    await expect(create('lost')).rejects.toThrow();
    expect(state('lost')).toBeUndefined();
    fault({ operation: 'KeyCreate', lostReply: 'after' });
    await expect(create('lost')).rejects.toThrow();
    expect(state('lost')?.versions).toHaveLength(1);
  });

  test('corrupt a new version, strip an answer, and read stale', async () => {
    fault({ operation: 'KeyCreate', effect: 'corruptVersion' });
    const made = await create('faulty', { kty: 'EC-HSM', attributes: { exp: 4e9 } });
    expect(made.body).toMatchObject({ attributes: { exp: 4e9 } });
    const kept = await bench.send('GET', '/keys/faulty');
    expect(kept.body.key).toMatchObject({ key_ops: [] });
    expect(kept.body.attributes).not.toHaveProperty('exp');
    fault({ operation: 'KeyGet', effect: 'incompleteAnswer' });
    expect((await bench.send('GET', '/keys/faulty')).body.key).not.toHaveProperty('x');
    const second = await create('faulty');
    fault({ operation: 'KeyGet', effect: 'staleRead' });
    const kid = async () => ((await bench.send('GET', '/keys/faulty')).body.key as { kid: string }).kid;
    expect(await kid()).toBe((made.body.key as { kid: string }).kid);
    expect(await kid()).toBe((second.body.key as { kid: string }).kid);
  });
});

describe('throttling', () => {
  test('answers 429 with Retry-After at the documented rates, only where it is switched on', async () => {
    const throttled = await startHsm({ readings: { throttling: true } });
    const answers = await Promise.all(
      ['a', 'b', 'c'].map((name) => throttled.send('POST', `/keys/${name}/create`, { body: { kty: 'EC-HSM' } })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 429, 429]);
    expect(answers.find(({ status }) => status === 429)?.headers['retry-after']).toBe('1');
    await throttled.hsm.stop();
  });
});

describe('the state of an HSM', () => {
  test('survives a save and a load, private keys and timers included', async () => {
    const first = await startHsm();
    const rotationPolicy = { lifetimeActions: [{ trigger: { timeAfterCreate: 'P30D' }, action: { type: 'Rotate' } }] };
    await first.hsm.seedKey({ name: 'kept', kty: 'oct-HSM', tags: { owner: 'ada' }, rotationPolicy });
    await first.hsm.seedKey({ name: 'gone', kty: 'EC-HSM', pooledMaterial: true, versions: 3 });
    await first.send('DELETE', '/keys/gone');
    await first.send('PATCH', '/settings/AllowKeyManagementOperationsThroughARM', {
      as: ADMIN,
      body: { value: 'true' },
    });
    const secret = { alg: 'A256KW', value: Buffer.alloc(16).toString('base64url') };
    const { body: wrapped } = await first.send('POST', '/keys/kept/wrapkey', { body: secret });
    const saved: unknown = JSON.parse(JSON.stringify(first.hsm.save()));
    const before = JSON.stringify(first.hsm.keys());
    await first.hsm.stop();

    const second = await startHsm();
    second.hsm.load(saved);
    expect(second.hsm.keys()).toEqual(JSON.parse(before.replaceAll(first.hsm.uri, second.hsm.uri)));
    const { body } = await second.send('POST', '/keys/kept/unwrapkey', {
      body: { alg: 'A256KW', value: wrapped.value },
    });
    expect(body.value).toBe(secret.value);
    second.clock.advance(30 * DAY);
    await until(() => second.rows.some(({ operationName }) => operationName === 'KeyRotateIfDue'));
    await until(() => second.hsm.keys().deletedKeys.length === 0);
    second.hsm.reset();
    expect(second.hsm.keys()).toMatchObject({ keys: [], roleAssignments: [{ properties: { principalId: ADMIN } }] });
    await second.hsm.stop();
  });

  test('shows no private material', async () => {
    await create('quiet');
    const saved = JSON.stringify(bench.hsm.save());
    const secrets = [...saved.matchAll(/"d":"([^"]{20,})"/g)].map(([, secret]) => secret ?? '');
    expect(secrets.length).toBeGreaterThan(0);
    const shown = JSON.stringify(bench.hsm.keys());
    for (const secret of secrets) expect(shown).not.toContain(secret);
  });

  test('is replaced by the contents of a backup, whole or one key', async () => {
    const source = await startHsm();
    await source.hsm.seedKey({ name: 'a', kty: 'EC-HSM', pooledMaterial: true, versions: 4 });
    await source.hsm.seedKey({ name: 'b', kty: 'EC-HSM', pooledMaterial: true });
    const contents = source.hsm.contents();
    await source.send('DELETE', '/keys/a');
    expect(() => source.hsm.restoreKeyFrom(contents, 'a')).toThrow('deleted');
    await source.send('DELETE', '/deletedkeys/a', { as: OWNER });
    expect(source.hsm.restoreKeyFrom(contents, 'a')).toEqual({ versions: 4 });
    await source.hsm.seedKey({ name: 'c', kty: 'EC-HSM', pooledMaterial: true });
    source.hsm.replaceContents(contents);
    expect(source.hsm.keys().keys.map(({ name }) => name)).toEqual(['a', 'b']);
    await source.hsm.stop();
  });

  test('seeds 5,000 keys from pooled material, and refuses one more', async () => {
    const { clock, estate } = bench;
    const full = createManagedHsm({
      ...{ name: 'full', resourceId: '/x', region: 'r', retentionDays: 7, purgeProtection: false, port: 1 },
      estate: { ...estate, clock },
      administrators: [],
    });
    for (let at = 0; at < 5000; at++) await full.seedKey({ name: `k${at}`, pooledMaterial: true });
    await expect(full.seedKey({ name: 'more', pooledMaterial: true })).rejects.toThrow('5000');
  });
});

test('routes of others run under the same rights, faults and audit', async () => {
  bench.hsm.extend([
    {
      method: 'GET',
      path: '/restore/:job/pending',
      operation: 'RestoreStatus',
      dataAction: 'restore/status/action',
      scope: () => '/',
      duringRestore: true,
      withoutApiVersion: true,
      handle: ({ params }) => ({ status: 200, body: { jobId: params.job } }),
    },
  ]);
  bench.hsm.setBusy({ kind: 'restore' });
  const answer = await bench.send('GET', '/restore/j1/pending', { as: ADMIN });
  bench.hsm.setBusy(undefined);
  expect(answer).toMatchObject({ status: 200, body: { jobId: 'j1' } });
  expect((await bench.send('GET', '/restore/j1/pending')).status).toBe(403);
  expect(bench.rows.at(-1)?.operationName).toBe('RestoreStatus');
});
