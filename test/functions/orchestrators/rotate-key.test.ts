import { describe, expect, test } from 'vitest';
import { rotateKey } from '../../../functions/orchestrators/rotate-key.ts';
import type { Inspected } from '../../../functions/outcomes.ts';
import { BUILT_IN_ROTATION } from '../../../shared/policy/document.ts';
import type { RotationRule } from '../../../shared/policy/rule.ts';
import { type Asked, replay, type Told } from '../../support/replay.ts';
import { aKey } from '../../support/world.ts';

const key = { hsm: 'contoso', name: 'orders' };
const OLD = 'a'.repeat(32);
const NEW = 'b'.repeat(32);
const old = aKey({ version: OLD, expiresOn: '2030-01-20T00:00:00Z' });
const fresh = aKey({ version: NEW, createdOn: '2030-01-01T00:00:00Z', expiresOn: '2031-01-01T00:00:00Z' });

const inspected = (overrides: Partial<Inspected> = {}, rule: Partial<RotationRule> = {}): Inspected => ({
  kind: 'inspected',
  facts: old,
  versionsUsed: 3,
  versionsCreatedOn: ['2027-01-31T00:00:00Z', '2028-01-31T00:00:00Z', '2029-01-31T00:00:00Z'],
  hsmPolicy: { expiryTime: 'P1Y' },
  effective: {
    rule: {
      rotation: { ...BUILT_IN_ROTATION, drift: 'tell', ...rule },
      notice: { notify: ['payments@contoso.example'], owner: 'Payments' },
    },
    origin: {},
    notes: [],
    policyVersion: '1',
  },
  ...overrides,
});

/** Answers of a world in which everything works, unless a test says otherwise. */
const answers = (overrides: Partial<Record<string, (asked: Asked, count: number) => Told>> = {}) => {
  const counts: Record<string, number> = {};
  const usual: Record<string, unknown> = {
    inspectKey: inspected(),
    writeRotationPolicy: { kind: 'written' },
    backUpKey: { kind: 'kept', path: 'p' },
    keepSentinel: { kind: 'kept' },
    reserveCreation: { kind: 'reserved', at: '2030-01-01T00:00:00.000Z' },
    createKeyVersion: { kind: 'created', facts: fresh },
    carryTags: { kind: 'carried', tags: [] },
    compareKeyVersion: { kind: 'compared', facts: fresh, differences: [] },
    proveKeyVersion: { kind: 'proof', verdict: 'proven', explanation: 'All checks passed.', checks: [] },
    recordRotation: { kind: 'recorded' },
    publishKeyFact: { kind: 'published' },
    deliverNotification: { kind: 'told', delivered: ['payments@contoso.example'], undelivered: [] },
  };
  return (asked: Asked): Told => {
    if (asked.kind === 'timer') return { result: undefined };
    const count = (counts[asked.name] ?? 0) + 1;
    counts[asked.name] = count;
    const special = overrides[asked.name];
    return special ? special(asked, count) : { result: usual[asked.name] };
  };
};

const input = { key, version: OLD, cause: { kind: 'Sweep' } };
const run = (overrides: Parameters<typeof answers>[0] = {}, from: object = input) =>
  replay(rotateKey, { input: from, instanceId: 'rotate-contoso-orders', answer: answers(overrides) });
const names = (asked: Asked[]) => asked.map((each) => (each.kind === 'timer' ? 'timer' : each.name));
const notices = (asked: Asked[]) =>
  asked.flatMap((each) => (each.kind === 'sub' ? [(each.input as { notice: { kind: string } }).notice] : []));

describe('rotateKey', () => {
  test('looks, decides, acts once, reads back, proves, records, publishes and tells, in that order', () => {
    const { asked, outcome } = run();
    expect(names(asked)).toEqual([
      'inspectKey',
      'keepSentinel',
      'reserveCreation',
      'createKeyVersion',
      'carryTags',
      'compareKeyVersion',
      'proveKeyVersion',
      'recordRotation',
      'publishKeyFact',
      'deliverNotification',
    ]);
    expect(outcome).toMatchObject({
      value: { kind: 'rotated', version: NEW, previous: OLD, by: 'us', proof: 'proven' },
    });
  });

  test('repairs the policy on the HSM and keeps a backup first when the rule says so', () => {
    const seen = inspected({}, { backupFirst: true, drift: 'repair' });
    delete seen.hsmPolicy;
    const { asked } = run({ inspectKey: () => ({ result: seen }) });
    expect(names(asked).slice(0, 4)).toEqual(['inspectKey', 'backUpKey', 'keepSentinel', 'writeRotationPolicy']);
  });

  test('writes a backstop whose time has come only after the rotation, or the HSM would rotate by itself at once', () => {
    const seen = inspected(
      { facts: { ...old, expiresOn: '2030-01-05T00:00:00Z' } },
      { backstop: 'P7D', drift: 'repair' },
    );
    const { asked } = run({ inspectKey: () => ({ result: seen }) });
    const writes = asked.flatMap((each) =>
      each.kind === 'activity' && each.name === 'writeRotationPolicy'
        ? [(each.input as { policy: unknown }).policy]
        : [],
    );
    expect(writes).toEqual([{ expiryTime: 'P1Y' }, { expiryTime: 'P1Y', rotateBeforeExpiry: 'P7D' }]);
    expect(names(asked).indexOf('createKeyVersion')).toBeLessThan(names(asked).lastIndexOf('writeRotationPolicy'));
  });

  test('takes its turn: waits for the creation slot that it was given', () => {
    const slot = '2030-01-01T00:00:09.000Z';
    const { asked } = run({ reserveCreation: () => ({ result: { kind: 'reserved', at: slot } }) });
    expect(asked).toContainEqual({ kind: 'timer', at: slot });
  });

  test('has no effect when the version it was asked for is no longer the newest', () => {
    const { asked, outcome } = run({}, { ...input, version: 'c'.repeat(32) });
    expect(names(asked)).toEqual(['inspectKey']);
    expect(outcome).toMatchObject({ value: { kind: 'kept', reason: 'VersionSuperseded' } });
  });

  test('waits while the HSM is busy with a backup, then goes on', () => {
    const busy = inspected({ busy: { kind: 'backup', since: '2029-12-31T23:59:00Z', holder: 'backup-contoso' } });
    const { asked, outcome } = run({
      inspectKey: (_, count) => ({ result: count <= 2 ? busy : inspected() }),
    });
    expect(names(asked).slice(0, 5)).toEqual(['inspectKey', 'timer', 'inspectKey', 'timer', 'inspectKey']);
    expect(outcome).toMatchObject({ value: { kind: 'rotated' } });
  });

  test('leaves an HSM that stays busy to the next sweep, and says so', () => {
    const failed = { kind: 'failed', code: 'ERR_HSM_BUSY', message: 'restore', nextStep: 'wait' };
    const { outcome } = run({ inspectKey: () => ({ result: failed }) });
    expect(outcome).toMatchObject({ value: { kind: 'failed', code: 'ERR_HSM_BUSY' } });
  });

  test('after a lost answer waits until the call can no longer take effect, then asks again', () => {
    const settleUntil = '2030-01-01T00:00:30.000Z';
    const { asked, outcome } = run({
      createKeyVersion: (_, count) => ({
        result: count === 1 ? { kind: 'unknown', settleUntil } : { kind: 'alreadyThere', facts: fresh, by: 'us' },
      }),
    });
    expect(names(asked).slice(3, 6)).toEqual(['createKeyVersion', 'timer', 'createKeyVersion']);
    expect(outcome).toMatchObject({ value: { kind: 'rotated', by: 'us', reason: 'NearExpiry' } });
  });

  test('proves and tells a version that the HSM made while we were about to', () => {
    const { asked, outcome } = run({
      createKeyVersion: () => ({ result: { kind: 'alreadyThere', facts: fresh, by: 'hsm' } }),
    });
    expect(names(asked)).toContain('proveKeyVersion');
    expect(outcome).toMatchObject({ value: { kind: 'rotated', by: 'hsm', reason: 'Native' } });
  });

  test('does not count an incomplete version, and tells it (R03)', () => {
    const differences = [{ attribute: 'keyOps', expected: 'wrapKey', found: 'none', severity: 'corrupt' }];
    const { asked, outcome } = run({
      compareKeyVersion: () => ({ result: { kind: 'compared', facts: fresh, differences } }),
    });
    expect(outcome).toMatchObject({ value: { kind: 'refused', reason: 'CorruptVersion', version: NEW } });
    expect(notices(asked).map(({ kind }) => kind)).toEqual(['RotationNotCounted']);
    expect(asked).toContainEqual(
      expect.objectContaining({ name: 'recordRotation', input: expect.objectContaining({ proof: 'failed' }) }),
    );
  });

  test.each([
    ['unproven', 'whenPossible', 'rotated'],
    ['unproven', 'required', 'refused'],
    ['failed', 'whenPossible', 'refused'],
  ] as const)('with a proof that is %s and %s demanded, ends as %s', (verdict, proof, kind) => {
    const { outcome } = run({
      inspectKey: () => ({ result: inspected({}, { proof }) }),
      proveKeyVersion: () => ({ result: { kind: 'proof', verdict, explanation: 'why', checks: [] } }),
    });
    expect(outcome).toMatchObject({ value: { kind } });
  });

  test('tells a missing permission with the instruction and stops there', () => {
    const denial = {
      dataAction: 'Microsoft.KeyVault/managedHsm/keys/rotate/action',
      scope: '/keys/orders',
      duty: 'rotate',
      clientId: 'c',
    };
    const failed = { kind: 'failed', code: 'ERR_DENIED', message: 'not authorised', nextStep: 'grant it', denial };
    const { asked, outcome } = run({ createKeyVersion: () => ({ result: failed }) });
    expect(outcome).toMatchObject({ value: { kind: 'failed', code: 'ERR_DENIED' } });
    expect(notices(asked)).toMatchObject([{ kind: 'RotationFailed', failure: { denial } }]);
    expect(asked).toContainEqual(
      expect.objectContaining({
        name: 'publishKeyFact',
        input: expect.objectContaining({ type: 'KeyRotationFailed' }),
      }),
    );
  });

  test('does not publish a refusal again that was told recently', () => {
    const disabled = inspected({ facts: { ...old, enabled: false } });
    const { asked } = run({
      inspectKey: () => ({ result: disabled }),
      deliverNotification: () => ({ result: { kind: 'toldRecently', on: '2029-12-31T00:00:00Z' } }),
    });
    expect(names(asked)).toEqual(['inspectKey', 'deliverNotification']);
  });

  test('tells when retries are spent, then fails, so that the instance shows it', () => {
    const { asked, outcome } = run({
      createKeyVersion: () => ({
        throws: "Activity function 'createKeyVersion' failed: the HSM cannot be reached \n {}",
      }),
    });
    expect(notices(asked).map(({ kind }) => kind)).toEqual(['RotationFailed']);
    expect(outcome).toMatchObject({ kind: 'threw' });
  });
});
