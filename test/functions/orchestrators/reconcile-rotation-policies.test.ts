import { describe, expect, test } from 'vitest';
import { reconcileRotationPolicies } from '../../../functions/orchestrators/reconcile-rotation-policies.ts';
import { answers, names, notices } from '../../support/answers.ts';
import { replay, type Told } from '../../support/replay.ts';

const drift = (name: string) => ({
  id: `policy-drift-contoso-${name}`,
  notice: { kind: 'PolicyDrift', key: { hsm: 'contoso', name } },
  repeatAfter: 'P7D',
});
const run = (reconcilePolicies: () => Told, input: object = { hsm: 'contoso' }) =>
  replay(reconcileRotationPolicies, { input, instanceId: 'reconcile-contoso', answer: answers({ reconcilePolicies }) });

describe('reconcileRotationPolicies', () => {
  test('tells every drift and adds up', () => {
    const { asked, outcome, goesOnWith } = run(() => ({
      result: { kind: 'reconciled', checked: 9, drifted: 2, repaired: 1, notices: [drift('a'), drift('b')] },
    }));
    expect(names(asked)).toEqual(['reconcilePolicies', 'deliverNotification', 'deliverNotification']);
    expect(asked).toContainEqual(
      expect.objectContaining({ instanceId: 'notify-reconcile-contoso-policy-drift-contoso-a' }),
    );
    expect(outcome).toMatchObject({ value: { kind: 'reconciled', checked: 9, drifted: 2, repaired: 1 } });
    expect(goesOnWith).toBeUndefined();
  });

  test('goes on with the next keys in a history of its own, and keeps count', () => {
    const part = { kind: 'reconciled', checked: 500, drifted: 1, repaired: 1, notices: [] };
    const first = run(() => ({ result: { ...part, after: 'm' } }));
    expect(first.goesOnWith).toEqual({
      hsm: 'contoso',
      after: 'm',
      sofar: { checked: 500, drifted: 1, repaired: 1 },
    });
    const second = run(() => ({ result: part }), first.goesOnWith as object);
    expect(second.asked[0]).toMatchObject({ input: { hsm: 'contoso', after: 'm' } });
    expect(second.outcome).toMatchObject({ value: { checked: 1000, drifted: 2, repaired: 2 } });
  });

  test('tells that policies cannot be compared, for want of a permission', () => {
    const { asked, outcome } = run(() => ({
      result: { kind: 'failed', code: 'ERR_DENIED', message: 'not allowed', nextStep: 'grant it' },
    }));
    expect(notices(asked)).toMatchObject([{ kind: 'SweepFailed', work: 'reconciliation' }]);
    expect(outcome).toMatchObject({ value: { kind: 'failed' } });
  });

  test('tells when retries are spent, then fails', () => {
    const { asked, outcome } = run(() => ({ throws: 'no answer' }));
    expect(notices(asked)).toMatchObject([{ kind: 'SweepFailed', work: 'reconciliation' }]);
    expect(outcome).toMatchObject({ kind: 'threw', message: 'no answer' });
  });
});
