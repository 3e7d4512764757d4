import { describe, expect, test } from 'vitest';
import { peopleNeeded } from '../../../shared/incident/journaled-approvals.ts';
import type { PlannedStep } from '../../../shared/incident/step.ts';
import { BUILT_IN_RESPONSE, type ResponseAnswer } from '../../../shared/policy/response-rule.ts';

const rotate = { kind: 'rotate', mode: 'auto' } as PlannedStep;
const revoke = (scope: string) => ({ kind: 'revoke', mode: 'auto', assignment: { scope } }) as PlannedStep;
const incident = { class: 'misuse', severity: 'High' } as const;
const alone = { ...BUILT_IN_RESPONSE, keyScope: 'policy' } as const;

describe('a step that is stored as one for nobody to approve', () => {
  test.each<[string, PlannedStep, ResponseAnswer, number]>([
    ['a new version, where the policy rotates', rotate, 'rotate', 0],
    ['a new version, where it only contains', rotate, 'contain', 1],
    ['a new version, where it only tells', rotate, 'notify', 1],
    ['a role at a key, where the policy rotates', revoke('/keys/orders'), 'rotate', 0],
    ['a role at a key, where it contains', revoke('/keys/orders'), 'contain', 0],
    ['a role at a key, where it only tells', revoke('/keys/orders'), 'notify', 1],
    ['a role at all keys, whatever the policy', revoke('/keys'), 'rotate', 1],
    ['a role at the HSM, whatever the policy', revoke('/'), 'rotate', 1],
  ])('%s', (_, step, mode, people) => {
    expect(peopleNeeded(step, { ...alone, mode }, incident)).toBe(people);
  });

  test('goes by the answer to the class, and tells only of what is milder than the policy contains from', () => {
    const rule = { ...alone, mode: 'notify', classes: { misuse: 'rotate' } } as const;
    expect(peopleNeeded(rotate, rule, incident)).toBe(0);
    expect(peopleNeeded(rotate, rule, { ...incident, class: 'controls' })).toBe(1);
    expect(peopleNeeded(rotate, { ...rule, from: 'Critical' }, incident)).toBe(1);
  });

  test('never needs fewer people than it says itself, or than the scope asks for', () => {
    expect(peopleNeeded({ ...rotate, mode: 'twoApprovals' }, { ...alone, mode: 'rotate' }, incident)).toBe(2);
    expect(peopleNeeded(revoke('/keys/orders'), { ...alone, keyScope: 'twoApprovals' }, incident)).toBe(2);
    expect(peopleNeeded(revoke('/'), { ...alone, hsmScope: 'twoApprovals' }, incident)).toBe(2);
  });
});
