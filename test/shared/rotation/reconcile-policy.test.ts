import { describe, expect, it } from 'vitest';
import { comparePolicy, expectedHsmPolicy } from '../../../shared/rotation/reconcile-policy.ts';
import { aRotation } from '../builders.ts';

const RULE = aRotation({ validity: 'P1Y', backstop: 'P7D' });

describe('comparePolicy', () => {
  it('expects the life of a new version and the backstop', () => {
    expect(expectedHsmPolicy(RULE)).toEqual({ expiryTime: 'P1Y', rotateBeforeExpiry: 'P7D' });
    expect(expectedHsmPolicy(aRotation())).toEqual({ expiryTime: 'P1Y' });
  });

  it('takes durations that always reach the same instant for equal', () => {
    expect(comparePolicy(RULE, { expiryTime: 'P12M', rotateBeforeExpiry: 'P1W' })).toEqual({ kind: 'inStep' });
  });

  it.each([
    ['a length that a leap year parts', { expiryTime: 'P365D', rotateBeforeExpiry: 'P7D' }, ['expiryTime']],
    ['a missing backstop', { expiryTime: 'P1Y' }, ['rotateBeforeExpiry']],
    ['another trigger', { expiryTime: 'P1Y', rotateAfterCreate: 'P90D' }, ['rotateAfterCreate', 'rotateBeforeExpiry']],
    ['a text that is no duration', { expiryTime: 'a year', rotateBeforeExpiry: 'P7D' }, ['expiryTime']],
    ['no policy', undefined, ['expiryTime', 'rotateBeforeExpiry']],
  ])('finds %s', (_title, found, attributes) => {
    const comparison = comparePolicy(RULE, found);
    expect(comparison).toMatchObject({ kind: 'drifted', action: 'repair' });
    const named = comparison.kind === 'drifted' ? comparison.differences.map((difference) => difference.attribute) : [];
    expect(named).toEqual(attributes);
  });

  it('only tells when the rule only tells', () => {
    expect(comparePolicy(aRotation({ drift: 'tell' }), undefined)).toMatchObject({ kind: 'drifted', action: 'tell' });
  });

  it('refuses to write a rule whose cadence cannot last', () => {
    const rule = aRotation({ validity: 'P56D', before: 'P28D' });
    expect(comparePolicy(rule, undefined)).toMatchObject({ kind: 'refused', reason: 'CadenceCannotLast' });
  });
});
