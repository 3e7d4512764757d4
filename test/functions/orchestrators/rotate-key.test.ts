import { describe, expect, test } from 'vitest';
import { rotateKey } from '../../../functions/orchestrators/rotate-key.ts';
import { answers, fresh, inspected, NEW, names, notices, OLD, old } from '../../support/answers.ts';
import { replay } from '../../support/replay.ts';

const key = { hsm: 'contoso', name: 'orders' };
const input = { key, version: OLD, cause: { kind: 'Sweep' } };
const run = (overrides: Parameters<typeof answers>[0] = {}, from: object = input) =>
  replay(rotateKey, { input: from, instanceId: 'rotate-contoso-orders', answer: answers(overrides) });
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

  test.each([
    [
      'is refused',
      { result: { kind: 'failed', code: 'ERR_DENIED', message: 'No right to send.', nextStep: 'Grant it.' } },
    ],
    ['outlives its retries', { throws: 'No right to send. \n {}' }],
  ])('tells the owner of a new version although its event %s, and says that it is missing', (_, told) => {
    const { asked, outcome } = run({ publishKeyFact: () => told });
    expect(notices(asked)).toMatchObject([
      { kind: 'KeyRotated', warnings: [expect.stringContaining('KeyNewVersionCreated was not published')] },
    ]);
    expect(outcome).toMatchObject({ value: { kind: 'rotated', proof: 'proven' } });
  });

  test('shows the fault that it met, and not that the topic was away as well', () => {
    const { outcome } = run({
      createKeyVersion: () => ({ throws: 'the HSM cannot be reached' }),
      publishKeyFact: () => ({ throws: 'the topic cannot be reached' }),
    });
    expect(outcome).toEqual({ kind: 'threw', message: 'the HSM cannot be reached' });
  });

  test('tells a fact once, however the key was spelt by whoever asked', () => {
    const disabled = inspected({ facts: { ...old, enabled: false } });
    const idOf = (name: string) => {
      const { asked } = run({ inspectKey: () => ({ result: disabled }) }, { ...input, key: { ...key, name } });
      return asked.flatMap((each) => (each.kind === 'sub' ? [(each.input as { id: string }).id] : []));
    };
    expect(idOf('ORDERS')).toEqual(idOf('orders'));
  });
});
