import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defaultReadings } from '../../../../infra/local/managed-hsm/readings.ts';
import { addDuration, parseRotationPolicy } from '../../../../infra/local/managed-hsm/rotation-policy.ts';
import { type Bench, startHsm, until } from './support.ts';

const DAY = 86_400_000;
const rotateEvery = (timeAfterCreate: string, expiryTime = 'P1Y') => ({
  lifetimeActions: [{ trigger: { timeAfterCreate }, action: { type: 'Rotate' } }],
  attributes: { expiryTime },
});

let bench: Bench;
beforeEach(async () => {
  bench = await startHsm();
});
afterEach(() => bench.hsm.stop());

const versions = (name: string) => bench.hsm.keys().keys.find((key) => key.name === name)?.versions ?? [];
const automatic = () => bench.rows.filter(({ operationName }) => operationName === 'KeyRotateIfDue');
const quiet = () => new Promise((resolve) => setTimeout(resolve, 30));

describe('automatic rotation', () => {
  test('makes a version when the time after creation has passed, and goes on from there', async () => {
    await bench.hsm.seedKey({ name: 'auto', kty: 'EC-HSM', rotationPolicy: rotateEvery('P30D', 'P90D') });
    bench.clock.advance(29 * DAY);
    await quiet();
    expect(versions('auto')).toHaveLength(1);
    bench.clock.advance(DAY);
    await until(() => automatic().length === 1);
    const [, second] = versions('auto');
    expect(second?.attributes.exp).toBe(Number(second?.attributes.created) + 90 * 86_400);
    expect(automatic()[0]).toMatchObject({ httpStatusCode: 200, id: second?.kid, identity: {} });
    bench.clock.advance(30 * DAY);
    await until(() => automatic().length === 2);
    expect(versions('auto')).toHaveLength(3);
  });

  test('makes one version when the clock jumps over several periods', async () => {
    await bench.hsm.seedKey({ name: 'jumped', kty: 'EC-HSM', rotationPolicy: rotateEvery('P30D') });
    bench.clock.advance(200 * DAY);
    const jumped = Math.floor(bench.clock.now().getTime() / 1000);
    await until(() => automatic().length === 1);
    await quiet();
    expect(versions('jumped')).toHaveLength(2);
    expect(Number(versions('jumped')[1]?.attributes.created)).toBeGreaterThanOrEqual(jumped);
  });

  test('counts back from the expiry of the newest version, and follows it when it moves', async () => {
    const rotationPolicy = {
      lifetimeActions: [{ trigger: { timeBeforeExpiry: 'P30D' }, action: { type: 'Rotate' } }],
      attributes: { expiryTime: 'P90D' },
    };
    await bench.hsm.seedKey({ name: 'before', kty: 'EC-HSM', rotationPolicy });
    bench.clock.advance(400 * DAY);
    await quiet();
    expect(automatic()).toHaveLength(0);
    const exp = Math.floor(bench.clock.now().getTime() / 1000) + 40 * 86_400;
    await bench.send('PATCH', '/keys/before', { body: { attributes: { exp } } });
    bench.clock.advance(9 * DAY);
    await quiet();
    expect(automatic()).toHaveLength(0);
    bench.clock.advance(DAY);
    await until(() => automatic().length === 1);
  });

  test('is refused for a disabled key and at 100 versions, and leaves a row that says so', async () => {
    const rotationPolicy = rotateEvery('P30D');
    await bench.hsm.seedKey({ name: 'off', kty: 'EC-HSM', attributes: { enabled: false }, rotationPolicy });
    await bench.hsm.seedKey({ name: 'full', kty: 'EC-HSM', pooledMaterial: true, versions: 100, rotationPolicy });
    bench.clock.advance(30 * DAY);
    await until(() => automatic().length === 2);
    expect(
      automatic()
        .map(({ httpStatusCode }) => httpStatusCode)
        .sort(),
    ).toEqual([400, 403]);
    expect((await bench.send('POST', '/keys/full/rotate')).status).toBe(400);
    expect((await bench.send('POST', '/keys/full/create', { body: { kty: 'EC-HSM' } })).status).toBe(400);
  });

  test('stops with the policy and with the key', async () => {
    await bench.hsm.seedKey({ name: 'bare', kty: 'EC-HSM', rotationPolicy: rotateEvery('P30D') });
    await bench.hsm.seedKey({ name: 'gone', kty: 'EC-HSM', rotationPolicy: rotateEvery('P30D') });
    await bench.send('PUT', '/keys/bare/rotationpolicy', { body: { lifetimeActions: [], attributes: {} } });
    await bench.send('DELETE', '/keys/gone');
    bench.clock.advance(6 * DAY);
    bench.clock.advance(100 * DAY);
    await quiet();
    expect(automatic()).toHaveLength(0);
    expect((await bench.send('POST', '/keys/bare/rotate')).status).toBe(400);
  });
});

describe('rotation by hand', () => {
  const made = { kty: 'oct-HSM', key_size: 256, key_ops: ['encrypt'], tags: { owner: 'ada' } };

  test('keeps operations and drops tags unless a reading says otherwise', async () => {
    await bench.send('POST', '/keys/k/create', { body: made });
    await bench.send('PUT', '/keys/k/rotationpolicy', { body: rotateEvery('P30D') });
    const strict = await bench.send('POST', '/keys/k/rotate');
    expect(strict.body.tags).toBeUndefined();
    expect(strict.body.key).toMatchObject({ key_ops: ['encrypt'] });
    await bench.send('PATCH', '/keys/k', { body: { tags: made.tags } });
    bench.hsm.readings.rotateInheritsTags = true;
    bench.hsm.readings.rotateInheritsKeyOps = false;
    const lenient = await bench.send('POST', '/keys/k/rotate');
    expect(lenient.body.tags).toEqual(made.tags);
    expect((lenient.body.key as { key_ops: string[] }).key_ops).toHaveLength(4);
  });
});

describe('rotation policies', () => {
  const parse = (body: unknown) => parseRotationPolicy(body as never, defaultReadings);
  const beforeExpiry = (timeBeforeExpiry: string, expiryTime?: string) => ({
    lifetimeActions: [{ trigger: { timeBeforeExpiry }, action: { type: 'Rotate' } }],
    attributes: { expiryTime },
  });

  test.each([
    ['an expiry under 28 days', rotateEvery('P28D', 'P27D')],
    ['a time after creation under 28 days', rotateEvery('P27D')],
    ['less than 28 days between versions', beforeExpiry('P29D', 'P56D')],
    ['a time before expiry without an expiry', beforeExpiry('P30D')],
    [
      'two triggers',
      {
        lifetimeActions: [
          { trigger: { timeAfterCreate: 'P30D', timeBeforeExpiry: 'P30D' }, action: { type: 'Rotate' } },
        ],
      },
    ],
    ['Notify', { lifetimeActions: [{ trigger: { timeBeforeExpiry: 'P30D' }, action: { type: 'Notify' } }] }],
    ['no duration', rotateEvery('30 days')],
  ])('with %s are refused', (_what, body) => {
    expect(() => parse(body)).toThrow();
  });

  test('take 28 days exactly, months and years', () => {
    expect(parse(rotateEvery('P28D', 'P28D'))).toMatchObject({ expiryTime: 'P28D' });
    expect(parse(beforeExpiry('P28D', 'P56D'))).toBeDefined();
    expect(parse(rotateEvery('P18M', 'P2Y'))).toBeDefined();
    expect(parse({ lifetimeActions: [], attributes: {} })).toBeUndefined();
  });

  test('add months by the calendar and never leave the month', () => {
    const at = (iso: string) => Date.parse(iso) / 1000;
    expect(addDuration(at('2024-01-31T10:00:00Z'), 'P1M')).toBe(at('2024-02-29T10:00:00Z'));
    expect(addDuration(at('2024-03-31T10:00:00Z'), 'P1M', -1)).toBe(at('2024-02-29T10:00:00Z'));
    expect(addDuration(at('2024-02-29T00:00:00Z'), 'P1Y')).toBe(at('2025-02-28T00:00:00Z'));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 }), fc.integer({ min: 0, max: 1000 }), (from, days) => {
        expect(addDuration(addDuration(from, `P${days}D`), `P${days}D`, -1)).toBe(from);
      }),
    );
  });
});
