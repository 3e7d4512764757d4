import { describe, expect, test } from 'vitest';
import { confirmKeyVersion } from '../../../functions/orchestrators/confirm-key-version.ts';
import { answers, fresh, inspected, NEW, names, notices, OLD } from '../../support/answers.ts';
import { replay } from '../../support/replay.ts';

const key = { hsm: 'contoso', name: 'orders' };
const native = { key, version: NEW, by: 'hsm', reason: 'Native' };
const run = (overrides: Parameters<typeof answers>[0] = {}, input: object = native) =>
  replay(confirmKeyVersion, {
    input,
    instanceId: `confirm-contoso-orders-${NEW}`,
    answer: answers({
      inspectKey: () => ({ result: inspected({ facts: fresh, previous: OLD }) }),
      ...overrides,
    }),
  });

describe('confirmKeyVersion', () => {
  test('proves, records, publishes and tells a version that the HSM made, as if it were ours, and makes none', () => {
    const { asked, outcome } = run();
    expect(names(asked)).toEqual([
      'inspectKey',
      'carryTags',
      'compareKeyVersion',
      'proveKeyVersion',
      'recordRotation',
      'publishKeyFact',
      'deliverNotification',
    ]);
    expect(outcome).toMatchObject({ value: { kind: 'rotated', by: 'hsm', previous: OLD, reason: 'Native' } });
    expect(notices(asked)).toMatchObject([{ kind: 'KeyRotated', by: 'hsm', version: NEW }]);
  });

  test('judges the life of a native version by the policy on the HSM that made it', () => {
    const seen = inspected({ facts: fresh, previous: OLD, hsmPolicy: { expiryTime: 'P90D' } });
    const { asked } = run({ inspectKey: () => ({ result: seen }) });
    expect(asked).toContainEqual(
      expect.objectContaining({ name: 'compareKeyVersion', input: expect.objectContaining({ validity: 'P90D' }) }),
    );
  });

  test('says of a version of ours that an earlier run did not come to prove it', () => {
    const { asked } = run({}, { ...native, by: 'us', reason: 'NearExpiry' });
    expect(notices(asked)).toMatchObject([{ by: 'us', explanation: expect.stringContaining('earlier run') }]);
  });

  test('leaves a version that is no longer the newest to the confirmation of its successor', () => {
    const { asked, outcome } = run({
      inspectKey: () => ({ result: inspected({ facts: { ...fresh, version: OLD } }) }),
    });
    expect(names(asked)).toEqual(['inspectKey']);
    expect(outcome).toMatchObject({ value: { kind: 'kept', reason: 'VersionSuperseded' } });
  });

  test('notes a version of a key whose rotation is off, and neither uses nor changes the key', () => {
    const seen = inspected({ facts: fresh, previous: OLD });
    seen.effective.rule.rotation.mode = 'off';
    const { asked, outcome } = run({ inspectKey: () => ({ result: seen }) });
    expect(names(asked)).toEqual(['inspectKey', 'recordRotation', 'publishKeyFact']);
    expect(asked[1]).toMatchObject({ input: { version: NEW, previous: OLD, by: 'hsm', proof: 'unproven' } });
    expect(asked[2]).toMatchObject({ input: { type: 'KeyNewVersionCreated', detail: { proof: 'unproven' } } });
    expect(outcome).toMatchObject({ value: { kind: 'kept', reason: 'RotationOff' } });
  });

  test('brings a version of ours to its end though rotation was turned off meanwhile', () => {
    const seen = inspected({ facts: fresh, previous: OLD });
    seen.effective.rule.rotation.mode = 'off';
    const { asked } = run({ inspectKey: () => ({ result: seen }) }, { ...native, by: 'us', reason: 'NearExpiry' });
    expect(names(asked)).toContain('proveKeyVersion');
  });

  test('compares with no version before when the history of the key does not tell one', () => {
    const { asked, outcome } = run({ inspectKey: () => ({ result: inspected({ facts: fresh }) }) });
    expect(names(asked)).not.toContain('carryTags');
    expect(outcome).toMatchObject({ value: { kind: 'rotated', previous: '' } });
  });

  test('tells a key that cannot be read', () => {
    const failed = { kind: 'failed', code: 'ERR_DENIED', message: 'not allowed', nextStep: 'grant it' };
    const { asked, outcome } = run({ inspectKey: () => ({ result: failed }) });
    expect(notices(asked)).toMatchObject([{ kind: 'RotationFailed', version: NEW }]);
    expect(outcome).toMatchObject({ value: failed });
  });

  test('tells when retries are spent, then fails', () => {
    const { asked, outcome } = run({ proveKeyVersion: () => ({ throws: 'no answer' }) });
    expect(notices(asked)).toMatchObject([{ kind: 'RotationFailed' }]);
    expect(outcome).toMatchObject({ kind: 'threw' });
  });
});
