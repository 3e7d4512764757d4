import { describe, expect, test } from 'vitest';
import type { Incident, RemovedAssignment } from '../../../shared/incident/incident.ts';
import type { PlannedStep } from '../../../shared/incident/step.ts';
import { judgeContainment, leftByPeople, type VerifyFacts } from '../../../shared/incident/verify.ts';
import { anIncident, MALLORY } from './builders.ts';

const ASSIGNMENT = { id: 'a1', principalId: MALLORY.oid, roleDefinitionId: 'user', scope: '/keys/orders' };
const AT = '2030-01-01T01:00:00.000Z';
const call = (outcome: 'ok' | 'denied') => ({ outcome, last: AT, count: 1, class: 'crypto.unprotect' as const });

const judge = (facts: Partial<VerifyFacts>) =>
  judgeContainment({
    subject: { kind: 'caller', caller: MALLORY },
    containedAt: '2030-01-01T00:00:00.000Z',
    removed: [ASSIGNMENT],
    left: [],
    keys: ['orders'],
    assignments: [],
    calls: [],
    now: new Date(AT),
    ...facts,
  });

describe('whether the intruder is kept out', () => {
  const kept = ['Ana said no to revoke-2.'];
  test.each<[string, Partial<VerifyFacts>, string, string]>([
    ['no assignment and no call of theirs', {}, 'refused', 'shows no call'],
    ['a call that was refused', { calls: [call('denied')] }, 'refused', '403'],
    ['a call that succeeded', { calls: [call('denied'), call('ok')] }, 'stillAllowed', 'succeeded'],
    ['one that people let them make', { calls: [call('ok')], left: kept }, 'unknown', 'Ana said no'],
    ['an assignment that stays', { assignments: [{ ...ASSIGNMENT, id: 'a2' }] }, 'stillAllowed', 'a2'],
    ['one that people let stay', { assignments: [{ ...ASSIGNMENT, id: 'a2' }], left: kept }, 'unknown', 'Ana said no'],
    [
      'what was taken away and is there again',
      { assignments: [ASSIGNMENT], left: kept },
      'stillAllowed',
      'there again',
    ],
    ['nobody who could be asked for', { subject: { kind: 'hsm' } }, 'unknown', 'Nobody knows who'],
    ['no way to look', { assignments: undefined, calls: undefined } as never, 'unknown', 'Neither'],
  ])('%s', (_, facts, result, words) => {
    const verdict = judge(facts);
    expect(verdict.result).toBe(result);
    expect(verdict.explanation).toContain(words);
  });
});

describe('what people let the caller keep', () => {
  const incident = (step: Partial<PlannedStep>, removed: Partial<RemovedAssignment>[] = []): Incident =>
    anIncident({
      plan: [{ id: 'revoke-1', kind: 'revoke', assignment: ASSIGNMENT, decisions: [], ...step } as PlannedStep],
      removed: removed.map((each) => ({ ...ASSIGNMENT, step: 'revoke-1', removedAt: AT, ...each })),
    });
  const no = { by: 'ana', name: 'Ana', at: AT, decision: 'deny', note: 'no' } as const;

  test('is a step that somebody said no to, and what was put back', () => {
    expect(leftByPeople(incident({ state: 'denied', decisions: [no] }))).toEqual([`Ana said no to revoke-1 on ${AT}.`]);
    expect(leftByPeople(incident({ state: 'undone' }, [{ putBackAt: AT }]))).toEqual([
      `What revoke-1 took away was put back on ${AT}.`,
    ]);
  });

  test.each<[string, Partial<PlannedStep>]>([
    ['nobody decided', { state: 'expired' }],
    ['a guard forbade', { state: 'refused' }],
    ['is of somebody else', { state: 'denied', decisions: [no], assignment: { ...ASSIGNMENT, principalId: 'other' } }],
  ])('is nothing that %s', (_, step) => {
    expect(leftByPeople(incident(step))).toEqual([]);
  });
});
