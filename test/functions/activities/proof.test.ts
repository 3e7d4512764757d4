import { describe, expect, test } from 'vitest';
import { proofActivities } from '../../../functions/activities/proof.ts';
import { AppError } from '../../../shared/errors.ts';
import type { KeyFacts } from '../../../shared/keys/key.ts';
import { aKey, createFakeWorld, type FakeWorld } from '../../support/world.ts';

const key = { hsm: 'contoso', name: 'orders' };
const common = { key, instance: 'rotate-1', cause: { kind: 'Sweep' } } as const;

const RSA: Partial<KeyFacts> = {
  keyOps: ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'],
};
const OCT: Partial<KeyFacts> = { keyType: 'oct-HSM', keyOps: ['wrapKey', 'unwrapKey', 'encrypt', 'decrypt'] };

/** A key of some type without what that type does not have. */
function aKeyOf({ keyType = 'RSA-HSM', ...rest }: Partial<KeyFacts>): KeyFacts {
  const facts = aKey({ keyType, ...rest });
  if (keyType !== 'RSA-HSM') delete facts.keySize;
  if (keyType === 'oct-HSM') delete facts.publicFingerprint;
  return facts;
}

function aRotation(shape: Partial<KeyFacts>, changes: { old?: Partial<KeyFacts>; fresh?: Partial<KeyFacts> } = {}) {
  const old = aKeyOf({ ...shape, ...changes.old });
  const fresh = aKeyOf({ ...shape, expiresOn: '2031-01-01T00:00:00.000Z', ...changes.fresh });
  const world = createFakeWorld({ orders: { versions: [old, fresh] } });
  if (shape.keyType === 'oct-HSM') ofSize(world, 256);
  const { keepSentinel, proveKeyVersion } = proofActivities(world);
  return {
    world,
    old,
    fresh,
    keep: () => keepSentinel({ ...common, version: old.version }),
    prove: (proof: 'required' | 'whenPossible' = 'required') =>
      proveKeyVersion({ ...common, version: fresh.version, previous: old.version, proof }),
  };
}

const refuse = (code: 'ERR_REFUSED_BY_SERVICE' | 'ERR_DENIED' | 'ERR_TRANSIENT') => async () => {
  throw new AppError(code, 'the service said no', { nextStep: 'x' });
};

/** An AES key takes the algorithms of its own size only. */
function ofSize(world: FakeWorld, size: number) {
  const { wrap, encrypt } = world.crypto;
  const only = (algorithm: string) =>
    algorithm.startsWith(`A${size}`) ? Promise.resolve() : refuse('ERR_REFUSED_BY_SERVICE')();
  world.crypto.wrap = async (...asked) => only(asked[2]).then(() => wrap(...asked));
  world.crypto.encrypt = async (...asked) => only(asked[2]).then(() => encrypt(...asked));
}
const sentinels = (world: FakeWorld) => [...world.stored.keys()].filter((path) => path.includes('sentinels/'));
const checksOf = (proof: { checks: { version: string; operation: string; result: string }[] }) =>
  proof.checks.map(({ version, operation, result }) => `${version} ${operation} ${result}`);

describe('proveKeyVersion', () => {
  test.each([
    ['RSA', RSA, ['wrapKey', 'unwrapKey', 'encrypt', 'decrypt', 'sign', 'verify']],
    ['RSA for wrapping', { keyOps: ['wrapKey', 'unwrapKey'] as const }, ['wrapKey', 'unwrapKey']],
    ['EC P-256', { keyType: 'EC-HSM', curve: 'P-256', keyOps: ['sign', 'verify'] as const }, ['sign', 'verify']],
    ['EC P-256K', { keyType: 'EC-HSM', curve: 'P-256K', keyOps: ['sign', 'verify'] as const }, ['sign', 'verify']],
    ['EC P-384', { keyType: 'EC-HSM', curve: 'P-384', keyOps: ['sign', 'verify'] as const }, ['sign', 'verify']],
    ['EC P-521', { keyType: 'EC-HSM', curve: 'P-521', keyOps: ['sign', 'verify'] as const }, ['sign', 'verify']],
    ['AES', OCT, ['wrapKey', 'unwrapKey', 'encrypt', 'decrypt']],
  ])(
    'uses a new version of type %s for all that it permits, and the old one for what it made',
    async (_, shape, ops) => {
      const { keep, prove } = aRotation(shape as Partial<KeyFacts>);
      expect(await keep()).toEqual({ kind: 'kept' });
      const proof = await prove();
      expect(proof.verdict).toBe('proven');
      expect(checksOf(proof).filter((check) => check.startsWith('new'))).toEqual(ops.map((op) => `new ${op} ok`));
      expect(checksOf(proof).filter((check) => check.startsWith('old'))).toHaveLength(1);
    },
  );

  test('opens with the old version what it made before, also after it has expired', async () => {
    const { world, keep, old, prove } = aRotation(RSA);
    await keep();
    old.expiresOn = '2029-12-31T00:00:00.000Z';
    world.crypto.wrap = async (asked, version, algorithm, secret) => {
      if (version === old.version) return refuse('ERR_REFUSED_BY_SERVICE')();
      return createFakeWorld().crypto.wrap(asked, version, algorithm, secret);
    };
    expect(await prove()).toMatchObject({ verdict: 'proven' });
  });

  test('fails when the old version no longer opens what it made', async () => {
    const { world, keep, old, prove } = aRotation(RSA);
    await keep();
    const { unwrap } = world.crypto;
    world.crypto.unwrap = async (asked, version, ...rest) =>
      version === old.version ? new Uint8Array(32) : unwrap(asked, version, ...rest);
    const proof = await prove();
    expect(proof.verdict).toBe('failed');
    expect(checksOf(proof)).toContain('old unwrapKey failed');
    expect(world.journalled.at(-1)).toMatchObject({ kind: 'outcome', result: 'failed' });
  });

  test('fails when the new version does not open what it has just wrapped, and keeps nothing of it', async () => {
    const { world, fresh, prove } = aRotation(RSA);
    world.crypto.unwrap = async () => new Uint8Array(32);
    expect(await prove('whenPossible')).toMatchObject({ verdict: 'failed' });
    expect(sentinels(world).some((path) => path.includes(fresh.version))).toBe(false);
  });

  test('takes a refusal of the service for a failed check, and goes on with the others', async () => {
    const { world, prove } = aRotation(RSA);
    world.crypto.sign = refuse('ERR_REFUSED_BY_SERVICE');
    const proof = await prove();
    expect(checksOf(proof)).toEqual(expect.arrayContaining(['new sign failed', 'new verify failed', 'new wrapKey ok']));
  });

  test.each(['ERR_DENIED', 'ERR_TRANSIENT'] as const)(
    'lets %s out as it is: it says nothing about the key',
    async (code) => {
      const { world, prove } = aRotation(RSA);
      world.crypto.unwrap = refuse(code);
      await expect(prove()).rejects.toMatchObject({ code });
      expect(world.journalled.at(-1)).toMatchObject({ kind: 'outcome', detail: { code } });
    },
  );

  test('of a key that permits nothing to try is unproven, and failed where a proof is required', async () => {
    const verifying = { keyOps: ['verify'] as KeyFacts['keyOps'] };
    expect(await aRotation(verifying).prove('whenPossible')).toMatchObject({ verdict: 'unproven' });
    expect(await aRotation(verifying).prove('required')).toMatchObject({ verdict: 'failed' });
  });

  test('run twice proves twice and keeps the first material of the new version', async () => {
    const { world, fresh, prove } = aRotation(RSA);
    await prove();
    const path = `state/sentinels/contoso/orders/${fresh.version}.json`;
    const first = world.stored.get(path)?.text;
    await prove();
    expect(first).toBeDefined();
    expect(world.stored.get(path)?.text).toBe(first);
  });

  test('asks again for a version that the answering region does not know yet', async () => {
    const { world } = aRotation(RSA);
    const prove = proofActivities(world).proveKeyVersion({ ...common, version: 'f'.repeat(32), proof: 'required' });
    await expect(prove).rejects.toMatchObject({ code: 'ERR_TRANSIENT' });
  });
});

describe('keepSentinel', () => {
  test('keeps what the old version made, and of the secret only its hash', async () => {
    const { world, keep } = aRotation(RSA);
    const secrets: string[] = [];
    const { wrap } = world.crypto;
    world.crypto.wrap = async (...asked) => {
      secrets.push(Buffer.from(asked[3]).toString('base64url'));
      return wrap(...asked);
    };
    await keep();
    const [path] = sentinels(world);
    expect(secrets).toHaveLength(1);
    expect(world.stored.get(path ?? '')?.text).not.toContain(secrets[0]);
    expect(JSON.stringify(world.journalled)).not.toContain(secrets[0]);
  });

  test('keeps the first material however often it runs', async () => {
    const { world, keep } = aRotation(RSA);
    await keep();
    const [first] = [...world.stored.values()];
    await keep();
    expect([...world.stored.values()]).toEqual([first]);
  });

  test.each([
    ['expired', { expiresOn: '2029-12-31T00:00:00.000Z' }],
    ['disabled', { enabled: false }],
    ['of no use for it', { keyOps: ['verify'] as KeyFacts['keyOps'] }],
  ])('skips a version that is %s, and says why', async (_, old) => {
    const { world, keep } = aRotation(RSA, { old });
    expect(await keep()).toMatchObject({ kind: 'skipped', why: expect.any(String) });
    expect([sentinels(world), world.journalled]).toEqual([[], []]);
  });

  test.each([128, 192, 256])('learns the size of an AES key of %i bits by using it', async (size) => {
    const { world, keep } = aRotation(OCT);
    const plain = createFakeWorld().crypto;
    world.crypto.wrap = plain.wrap;
    world.crypto.encrypt = plain.encrypt;
    ofSize(world, size);
    await keep();
    const [path] = sentinels(world);
    expect(JSON.parse(world.stored.get(path ?? '')?.text ?? '{}')).toMatchObject({ algorithm: `A${size}KW` });
  });

  test('does not take a missing permission for a wrong size', async () => {
    const { world, keep } = aRotation(OCT);
    world.crypto.wrap = refuse('ERR_DENIED');
    await expect(keep()).rejects.toMatchObject({ code: 'ERR_DENIED' });
  });
});
