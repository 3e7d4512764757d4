import { describe, expect, test } from 'vitest';
import type { ManifestRoleAssignment } from '../../../shared/backup/manifest.ts';
import type { Finding } from '../../../shared/detection/finding.ts';
import { beginSteps } from '../../../shared/incident/decide-step.ts';
import { ADMINISTRATOR, guardDisable, guardRevoke } from '../../../shared/incident/guards.ts';
import { mergePlan, type PlanFacts, planResponse } from '../../../shared/incident/plan.ts';
import { BUILT_IN_RESPONSE, type ResponseRule } from '../../../shared/policy/response-rule.ts';
import { aFinding, anIncident, MALLORY, SERVICE } from './builders.ts';

const NOW = new Date('2030-01-01T00:30:00.000Z');
const role = (changes: Partial<ManifestRoleAssignment> = {}): ManifestRoleAssignment => ({
  ...{ id: 'a1', principalId: MALLORY.oid, roleDefinitionId: 'user', scope: '/keys/orders' },
  ...changes,
});

function plan(
  finding: Partial<Finding>,
  rule: Partial<ResponseRule> = {},
  facts: Partial<PlanFacts> = {},
): ReturnType<typeof planResponse> {
  return planResponse({
    now: NOW,
    incident: anIncident({}, finding),
    rule: { ...BUILT_IN_RESPONSE, ...rule },
    assignments: [role()],
    keys: [{ name: 'orders', version: 'v1', versionsUsed: 3, use: [] }],
    ownClients: ['our-client'],
    ...facts,
  });
}

const critical = { severity: 'Critical', score: 90 } as const;
const auto = { ...critical, response: 'containByPolicy' } as const;
const policy = { keyScope: 'policy' } as const;
const service = { ...auto, caller: SERVICE };
const ours = { ...auto, caller: { ...SERVICE, app: 'our-client' } };

describe('who lets an assignment be taken away', () => {
  test.each<[string, Partial<Finding>, Partial<ResponseRule>, ManifestRoleAssignment, string, boolean]>([
    ['a person at one key, critical, by policy', auto, policy, role(), 'auto', false],
    ['the same where the policy asks for a person', auto, {}, role(), 'approval', false],
    ['the same where it asks for two', auto, { keyScope: 'twoApprovals' }, role(), 'twoApprovals', false],
    ['a person, not critical', { response: 'containByPolicy' }, policy, role(), 'approval', false],
    ['all keys', auto, policy, role({ scope: '/keys' }), 'approval', false],
    ['the whole HSM', auto, { ...policy, hsmScope: 'twoApprovals' }, role({ scope: '/' }), 'twoApprovals', false],
    ['a service', service, policy, role({ principalId: SERVICE.oid }), 'approval', false],
    ['an identity of this app', ours, policy, role({ principalId: SERVICE.oid }), 'twoApprovals', false],
    [
      'what a detector leaves to one person',
      { ...critical, response: 'containByApproval' },
      policy,
      role(),
      'approval',
      false,
    ],
    ['what a detector leaves to two', { ...critical, response: 'containByTwo' }, policy, role(), 'twoApprovals', false],
    ['what a detector only tells', { ...critical, response: 'notify' }, policy, role(), 'approval', true],
    ['where the policy only tells', auto, { ...policy, mode: 'notify' }, role(), 'approval', true],
    [
      'below the severity of the policy',
      { ...auto, severity: 'Low', score: 10 },
      { ...policy, from: 'High' },
      role(),
      'approval',
      true,
    ],
  ])('%s: %#', (_, finding, rule, assignment, mode, offered) => {
    const [step] = plan(finding, rule, { assignments: [assignment] });
    expect(step).toMatchObject({ kind: 'revoke', mode, assignment });
    expect(step?.offered === true).toBe(offered);
  });

  test('a grant that is new and the only one goes at once, whoever got it; an old one waits', () => {
    const grant = { ...auto, caller: { oid: '' }, assignments: [{ scope: '/keys/orders', id: 'a1' }] };
    const to = { assignments: [role({ principalId: 'somebody' })] };
    expect(plan({ ...grant, from: '2030-01-01T00:00:00.000Z' }, policy, to)[0]?.mode).toBe('auto');
    expect(plan({ ...grant, from: '2029-12-31T00:00:00.000Z' }, policy, to)[0]?.mode).toBe('approval');
    const two = { assignments: [...to.assignments, role({ id: 'a2', principalId: 'somebody', scope: '/' })] };
    expect(plan({ ...grant, from: '2030-01-01T00:00:00.000Z' }, policy, two)[0]?.mode).toBe('approval');
  });

  test('nothing but evidence where the policy only observes', () => {
    expect(plan(auto, { mode: 'observe' })).toEqual([]);
  });

  test('access that no assignment explains is a task for people, and so are roles that cannot be read', () => {
    expect(plan(auto, policy, { assignments: [] }).map(({ id }) => id)).toContain('person-group');
    const { assignments: _, ...unread } = { ...{}, assignments: undefined };
    const blind = planResponse({
      ...{ now: NOW, incident: anIncident({}, auto), rule: BUILT_IN_RESPONSE, keys: [], ownClients: [] },
      ...unread,
    });
    expect(blind.map(({ id }) => id)).toEqual(['person-roles']);
  });

  test('only what was touched: a role at another key stays', () => {
    expect(
      plan(auto, policy, { assignments: [role({ scope: '/keys/other' })] }).some(({ kind }) => kind === 'revoke'),
    ).toBe(false);
  });
});

describe('what protects the keys, by class', () => {
  test.each<[Finding['class'], string[]]>([
    ['misuse', ['rotate']],
    ['keyMaterial', ['newKey', 'disableOld']],
    ['rootOfTrust', ['person']],
    ['destruction', ['person']],
    ['controls', ['person']],
  ])('%s: %s', (kind, kinds) => {
    expect(
      plan({ ...auto, class: kind })
        .filter((step) => step.kind !== 'revoke')
        .map((step) => step.kind),
    ).toEqual(kinds);
  });

  test('past 90 versions a person decides about each, and past 100 nobody can', () => {
    const at = (versionsUsed: number) =>
      plan(auto, { mode: 'rotate' }, { keys: [{ name: 'orders', version: 'v', versionsUsed }] }).find(
        ({ kind }) => kind === 'rotate',
      );
    expect(at(90)).toMatchObject({ mode: 'auto', state: 'planned' });
    expect(at(91)).toMatchObject({ mode: 'approval', state: 'planned' });
    expect(at(100)).toMatchObject({ state: 'refused', reason: 'VersionBudgetSpent' });
  });

  test.each<[string, Partial<Finding>, string, true | undefined]>([
    ['used', { keysUsed: ['orders'] }, 'auto', undefined],
    ['only named, read or refused', { keysUsed: [] }, 'approval', true],
    ['of a finding that does not say', {}, 'auto', undefined],
  ])('a key that was %s is rotated: %o, %s', (_, finding, mode, offered) => {
    const [rotate] = plan({ ...auto, ...finding }, { mode: 'rotate' }).filter(({ kind }) => kind === 'rotate');
    expect([rotate?.mode, rotate?.offered]).toEqual([mode, offered]);
  });

  test('a hostile name stands in no command', () => {
    const keys = [{ name: 'orders; rm -rf /', version: 'v', versionsUsed: 1 }];
    expect(plan({ ...auto, class: 'keyMaterial' }, {}, { keys }).flatMap(({ commands }) => commands)).toEqual([]);
  });
});

describe('guards that no agreement outweighs', () => {
  const admin = (id: string, principalId = id) =>
    role({ id, principalId, roleDefinitionId: ADMINISTRATOR, scope: '/' });
  const rule = { breakGlass: ['BREAK'], administrators: 2 };
  test.each<[string, ManifestRoleAssignment, ManifestRoleAssignment[] | undefined, string | undefined]>([
    ['three administrators', admin('1'), [admin('1'), admin('2'), admin('3')], undefined],
    ['two administrators', admin('1'), [admin('1'), admin('2')], 'LastAdministrator'],
    ['two assignments of one person', admin('1'), [admin('1'), admin('2', 'x'), admin('3', 'x')], 'LastAdministrator'],
    ['administrators that nobody can count', admin('1'), undefined, 'AdministratorsUnknown'],
    ['another role, though nobody can count', role(), undefined, undefined],
    ['a break-glass account, whatever its case', role({ principalId: 'break' }), [], 'BreakGlass'],
  ])('%s: %s', (_, assignment, assignments, reason) => {
    expect(guardRevoke(assignment, assignments, rule)?.reason).toBe(reason);
  });

  test.each([
    ['used yesterday', '2029-12-31T00:00:00Z', 'VersionInUse'],
    ['used 8 days ago', '2029-12-24T00:00:00Z', undefined],
  ])('a version %s', (_, last, reason) => {
    expect(guardDisable('orders', [{ version: 'v1', caller: 'x', count: 1, last }], ['v1'], NOW)?.reason).toBe(reason);
  });

  test('use that is not known is no permission', () => {
    expect(guardDisable('orders', undefined, [], NOW)?.reason).toBe('VersionUseUnknown');
  });
});

test('a plan made again keeps what was begun and drops what is no longer wanted', () => {
  const first = beginSteps(plan(auto, policy), BUILT_IN_RESPONSE, NOW);
  const gone = { ...first[0], id: 'gone', state: 'planned' } as (typeof first)[number];
  const merged = mergePlan([...first, gone], plan(auto));
  expect(merged.map(({ id }) => id)).toEqual(first.map(({ id }) => id));
  expect(merged[0]?.state).toBe('approved');
});

test('findings of the same caller need not agree in case', () => {
  const steps = plan(
    { ...auto, ...aFinding({ caller: { ...MALLORY, oid: MALLORY.oid.toUpperCase() } }), ...auto },
    policy,
  );
  expect(steps.some(({ kind }) => kind === 'revoke')).toBe(true);
});
