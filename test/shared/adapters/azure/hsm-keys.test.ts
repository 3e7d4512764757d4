import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ManagedHsm } from '../../../../infra/local/managed-hsm/server.ts';
import { createHsmKeys } from '../../../../shared/adapters/azure/hsm-keys.ts';
import { AppError, type ErrorCode } from '../../../../shared/errors.ts';
import type { HsmKeys } from '../../../../shared/ports/hsm-keys.ts';
import { type Ground, startGround, startHsm } from './estate.ts';

let ground: Ground;
let hsm: ManagedHsm;
let observer: HsmKeys;
let rotator: HsmKeys;
/** Waits only so long for an answer, or for that to a rotation. */
let hurried: { requests: HsmKeys; rotations: HsmKeys };
const orders = { hsm: 'contoso', name: 'orders' };

beforeAll(async () => {
  ground = await startGround();
  hsm = await startHsm(ground);
  const rotationPolicy = { attributes: { expiryTime: 'P90D' }, lifetimeActions: [] };
  const expiry = new Date('2031-05-01T00:00:00Z');
  await hsm.seedKey({
    name: 'orders',
    kty: 'EC-HSM',
    crv: 'P-256',
    pooledMaterial: true,
    versions: 3,
    tags: { owner: 'Ada' },
    attributes: { exp: expiry, created: new Date('2030-01-01T00:00:00Z') },
    rotationPolicy,
  });
  await hsm.seedKey({ name: 'bare', kty: 'oct-HSM', size: 256 });
  const fleet = Array.from({ length: 58 }, (_, index) => `fleet-${String(index).padStart(2, '0')}`);
  for (const name of fleet) await hsm.seedKey({ name, kty: 'EC-HSM', crv: 'P-256', pooledMaterial: true });
  const hsms = [{ name: 'contoso', uri: hsm.uri }];
  observer = createHsmKeys({ hsms, identity: ground.identity('observe') });
  const identity = ground.identity('rotate');
  rotator = createHsmKeys({ hsms, identity });
  hurried = {
    requests: createHsmKeys({ hsms, identity, requestMs: 300 }),
    rotations: createHsmKeys({ hsms, identity, rotateMs: 300 }),
  };
});
afterEach(() => {
  ground.faults.clear();
  ground.rows.splice(0);
});
afterAll(async () => {
  await hsm.stop();
  await ground.stop();
});

const countVersions = (name: string) => hsm.keys().keys.find((key) => key.name === name)?.versions.length;

async function failure(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => new Error('It succeeded.'),
    (reason: unknown) => reason,
  );
  if (error instanceof AppError) return error;
  throw error;
}
const codeOf = async (promise: Promise<unknown>): Promise<ErrorCode> => (await failure(promise)).code;

describe('reading', () => {
  test('gives 60 keys in three list calls and reads none of them', async () => {
    const pages = [];
    for await (const page of observer.pages('contoso')) pages.push(page.length);
    expect(pages).toEqual([25, 25, 10]);
    expect(ground.rows.map(({ operationName }) => operationName)).toEqual(['KeyList', 'KeyList', 'KeyList']);
  });

  test('gives the newest version whole, with a fingerprint of its public key', async () => {
    const facts = await observer.read(orders);
    expect(facts).toMatchObject({
      name: 'orders',
      enabled: true,
      expiresOn: '2031-05-01T00:00:00.000Z',
      createdOn: '2030-01-01T00:00:00.000Z',
      tags: { owner: 'Ada' },
      keyType: 'EC-HSM',
      curve: 'P-256',
      keyOps: ['deriveKey', 'sign', 'verify'],
      exportable: false,
    });
    expect(facts.version).toMatch(/^[0-9a-f]{32}$/);
    expect(facts.publicFingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  test('gives no fingerprint for a symmetric key, which has no public part', async () => {
    expect(await observer.read({ hsm: 'contoso', name: 'bare' })).not.toHaveProperty('publicFingerprint');
  });

  test('gives versions oldest first, and any one of them by its id', async () => {
    const versions = await observer.versions(orders);
    expect(versions.map(({ createdOn }) => createdOn)).toEqual(versions.map(({ createdOn }) => createdOn).toSorted());
    const oldest = versions[0]?.version ?? '';
    expect((await observer.read(orders, oldest)).version).toBe(oldest);
    expect(versions).toHaveLength(3);
  });

  test('names a key that does not exist as not found', async () => {
    expect(await codeOf(observer.read({ hsm: 'contoso', name: 'nobody' }))).toBe('ERR_NOT_FOUND');
  });

  test('waits as long as Retry-After says and asks again', async () => {
    ground.faults.add({ service: 'hsm', operation: 'KeyGet', status: 429, headers: { 'retry-after': '0' }, count: 2 });
    expect((await observer.read(orders)).name).toBe('orders');
    expect(ground.takeCalls('KeyGet')).toBe(3);
  });

  test('says that the HSM is busy while a restore runs, of lists as well, whose refusal the SDK passes on without words', async () => {
    hsm.setBusy({ kind: 'restore' });
    expect(await codeOf(observer.read(orders))).toBe('ERR_HSM_BUSY');
    expect(await codeOf(observer.versions(orders))).toBe('ERR_HSM_BUSY');
    expect(await codeOf(observer.pages('contoso')[Symbol.asyncIterator]().next())).toBe('ERR_HSM_BUSY');
    hsm.setBusy(undefined);
  });

  test('gives up a request that is not answered, even where the SDK sets no limit', async () => {
    ground.faults.add({ service: 'hsm', operation: '*', where: { key: 'bare' }, delayMs: 500, lostReply: 'before' });
    expect(await codeOf(hurried.requests.readRotationPolicy({ hsm: 'contoso', name: 'bare' }))).toBe('ERR_TRANSIENT');
  });

  test('knows only the HSMs of the settings', async () => {
    expect(await codeOf(observer.read({ hsm: 'other', name: 'orders' }))).toBe('ERR_INPUT');
  });
});

describe('the rotation policy', () => {
  test('comes back as it was written, though the HSM spells its action in lower case', async () => {
    const policy = { expiryTime: 'P180D', rotateBeforeExpiry: 'P30D' };
    await rotator.writeRotationPolicy(orders, policy);
    expect(await observer.readRotationPolicy(orders)).toEqual(policy);
    await rotator.writeRotationPolicy(orders, { expiryTime: 'P90D', rotateAfterCreate: 'P60D' });
    expect(await observer.readRotationPolicy(orders)).toEqual({ expiryTime: 'P90D', rotateAfterCreate: 'P60D' });
  });

  test('is undefined for a key that has none', async () => {
    expect(await observer.readRotationPolicy({ hsm: 'contoso', name: 'bare' })).toBeUndefined();
  });
});

describe('rotate', () => {
  test('makes one version with one request, from the first call of a new client on', async () => {
    const fresh = createHsmKeys({ hsms: [{ name: 'contoso', uri: hsm.uri }], identity: ground.identity('rotate') });
    const before = countVersions('orders') ?? 0;
    const facts = await fresh.rotate(orders);
    expect(countVersions('orders')).toBe(before + 1);
    expect(facts.version).toBe((await observer.read(orders)).version);
    expect(ground.takeCalls('KeyRotate')).toBe(1);
  });

  test.each(['before', 'after'] as const)('is sent once when the reply is lost %s the effect', async (when) => {
    await rotator.rotate(orders);
    const before = countVersions('orders') ?? 0;
    ground.faults.add({ service: 'hsm', operation: 'KeyRotate', lostReply: when });
    expect(await codeOf(rotator.rotate(orders))).toBe('ERR_UNKNOWN_OUTCOME');
    expect(countVersions('orders')).toBe(before + (when === 'after' ? 1 : 0));
  });

  test('has an unknown outcome when the service fails or answers too late', async () => {
    const before = countVersions('orders');
    ground.faults.add({ service: 'hsm', operation: 'KeyRotate', status: 503, count: 1 });
    expect(await codeOf(rotator.rotate(orders))).toBe('ERR_UNKNOWN_OUTCOME');
    ground.faults.add({ service: 'hsm', operation: 'KeyRotate', delayMs: 500, lostReply: 'before', count: 1 });
    expect(await codeOf(hurried.rotations.rotate(orders))).toBe('ERR_UNKNOWN_OUTCOME');
    expect(countVersions('orders')).toBe(before);
  });

  test('is throttled, and not tried again by itself, on 429: nothing happened', async () => {
    ground.faults.add({ service: 'hsm', operation: 'KeyRotate', status: 429, headers: { 'retry-after': '1' } });
    expect(await codeOf(rotator.rotate(orders))).toBe('ERR_THROTTLED');
    expect(ground.takeCalls('KeyRotate')).toBe(1);
  });

  test('says how to grant what is missing when the identity may not', async () => {
    const { message, nextStep, denial, code } = await failure(observer.rotate(orders));
    const { clientId } = ground.identity('observe');
    expect(code).toBe('ERR_DENIED');
    expect(denial).toEqual({
      dataAction: 'Microsoft.KeyVault/managedHsm/keys/rotate/action',
      scope: '/keys/orders',
      duty: 'observe',
      clientId,
    });
    expect(message).toContain(`observe (client id ${clientId})`);
    expect(nextStep).toContain(
      `az keyvault role assignment create --hsm-name contoso --role "Managed HSM Crypto User" --assignee ${clientId} --scope /keys/orders`,
    );
  });

  test('is transient when the HSM cannot be reached at all, for then nothing was sent', async () => {
    const nowhere = createHsmKeys({
      hsms: [{ name: 'contoso', uri: 'https://contoso.managedhsm.azure.net:1' }],
      identity: ground.identity('rotate'),
    });
    expect(await codeOf(nowhere.rotate(orders))).toBe('ERR_TRANSIENT');
  });
});

describe('disabling a version', () => {
  const useOf = async (version: string) => (await observer.read(orders, version)).enabled;

  test('leaves the other versions as they are, is undone by enabling it, and may be repeated', async () => {
    const [old, ...others] = await observer.versions(orders);
    const version = old?.version ?? '';
    const before = await observer.read(orders, version);
    await rotator.setEnabled(orders, version, false);
    await rotator.setEnabled(orders, version, false);
    const after = await observer.versions(orders);
    expect(after.filter(({ enabled }) => !enabled).map((each) => each.version)).toEqual([version]);
    expect(after.map((each) => each.version)).toEqual([version, ...others.map((each) => each.version)]);
    await rotator.setEnabled(orders, version, true);
    const { updatedOn: _, ...again } = await observer.read(orders, version);
    expect(before).toMatchObject(again);
  });

  test('has happened when its reply is lost, and its repeat says so', async () => {
    const version = (await observer.versions(orders))[0]?.version ?? '';
    ground.faults.add({ service: 'hsm', operation: 'KeyUpdate', lostReply: 'after', count: 1 });
    await rotator.setEnabled(orders, version, false);
    expect(await useOf(version)).toBe(false);
    await rotator.setEnabled(orders, version, true);
    expect(await useOf(version)).toBe(true);
  });

  test('takes the right to write, which names what is missing', async () => {
    const version = (await observer.versions(orders))[0]?.version ?? '';
    const { code, denial } = await failure(observer.setEnabled(orders, version, false));
    expect(code).toBe('ERR_DENIED');
    expect(denial).toMatchObject({
      dataAction: 'Microsoft.KeyVault/managedHsm/keys/write/action',
      scope: '/keys/orders',
      duty: 'observe',
    });
    expect(await useOf(version)).toBe(true);
  });
});

test('a key-level backup is one opaque blob', async () => {
  expect((await rotator.backUp(orders)).byteLength).toBeGreaterThan(100);
});
