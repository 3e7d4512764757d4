import { describe, expect, it } from 'vitest';
import type { Blackout, MaintenanceWindow, RotationRule } from '../../../shared/policy/rule.ts';
import { decideRotation, type RotationInput } from '../../../shared/rotation/decide-rotation.ts';
import {
  POLICY_ALONE,
  type RotationCause,
  type RotationDecision,
  type RotationPlan,
} from '../../../shared/rotation/decision.ts';
import { aKey, anEffectiveRule, aRequest, NEW_VERSION, NOW, OLD_VERSION, without } from '../builders.ts';

const WEEKEND: MaintenanceWindow = { days: ['Sat'], opens: '22:00', lasts: 'PT4H', timeZone: 'UTC' };
const FREEZE: Blackout = { from: '2030-01-10T00:00:00Z', until: '2030-01-20T00:00:00Z', reason: 'Release freeze' };
const FAR_EXPIRY = '2031-01-01T00:00:00Z';

const operator = (...overrides: Extract<RotationCause, { kind: 'Operator' }>['overrides']): RotationCause => ({
  kind: 'Operator',
  by: 'alice@contoso.example',
  note: 'key was exposed',
  overrides,
});

/** What a decision comes down to, for a table. */
function summary(decision: RotationDecision): string {
  return `${decision.kind} ${decision.reason}`;
}

const planOf = (changes: Partial<RotationInput>): RotationPlan => {
  const decision = decideRotation(aRequest(changes));
  if (decision.kind !== 'rotate') throw new Error(`Expected a plan, got ${summary(decision)}`);
  return decision;
};

describe('decideRotation', () => {
  it.each<[string, Partial<RotationInput>, string]>([
    ['rotates a key that nears its expiry', {}, 'rotate NearExpiry'],
    ['rotates a key that has expired', { facts: aKey({ expiresOn: '2030-01-10T00:00:00Z' }) }, 'rotate Expired'],
    ['rotates in the instant in which it expires', { facts: aKey({ expiresOn: NOW.toISOString() }) }, 'rotate Expired'],
    [
      'rotates in the first instant that is due',
      { facts: aKey({ expiresOn: '2030-02-14T12:00:00Z' }) },
      'rotate NearExpiry',
    ],
    ['keeps a key a second before it is due', { facts: aKey({ expiresOn: '2030-02-14T12:00:01Z' }) }, 'keep NotDue'],
    ['keeps a key without expiry or maximum age', { facts: without(aKey(), 'expiresOn') }, 'keep NoExpiry'],
    [
      'rotates by age a key without expiry',
      { facts: without(aKey(), 'expiresOn'), effective: anEffectiveRule({ maximumAge: 'P180D' }) },
      'rotate MaximumAge',
    ],
    ['keeps a version that is no longer the newest', { expectedVersion: NEW_VERSION }, 'keep VersionSuperseded'],
    ['goes on with the version that was expected', { expectedVersion: OLD_VERSION }, 'rotate NearExpiry'],
    ['keeps a key whose rotation is off', { effective: anEffectiveRule({ mode: 'off' }) }, 'keep RotationOff'],
    ['refuses a disabled key, however old', { facts: aKey({ enabled: false }) }, 'refused KeyDisabled'],
    ['refuses a held key', { effective: anEffectiveRule({}, { hold: { tag: 'hold=true' } }) }, 'refused HeldByTag'],
    [
      'goes on once a hold is over',
      { effective: anEffectiveRule({}, { hold: { tag: 'hold=2030-01-14', until: '2030-01-15T00:00:00Z' } }) },
      'rotate NearExpiry',
    ],
    [
      'reminds of a key that is only reminded of',
      { effective: anEffectiveRule({ mode: 'remind' }) },
      'remind RemindOnly',
    ],
    [
      'reminds of imported material as such',
      { effective: anEffectiveRule({ mode: 'remind' }), facts: aKey({ tags: { Origin: ' Imported ' } }) },
      'remind ImportedKey',
    ],
    [
      'does not remind before it is due',
      { effective: anEffectiveRule({ mode: 'remind' }), facts: aKey({ expiresOn: FAR_EXPIRY }) },
      'keep NotDue',
    ],
    [
      'refuses an operator who asks to rotate a key that is only reminded of',
      { effective: anEffectiveRule({ mode: 'remind' }), cause: operator('notDue') },
      'refused RemindOnly',
    ],
    ['refuses the 101st version', { versionsUsed: 100 }, 'refused VersionBudgetSpent'],
    ['makes the 100th version', { versionsUsed: 99 }, 'rotate NearExpiry'],
    [
      'refuses a rule whose cadence cannot last',
      { effective: anEffectiveRule({ validity: 'P50D', before: 'P29D' }) },
      'refused CadenceCannotLast',
    ],
    [
      'refuses a rule beyond the limits of the HSM',
      { effective: anEffectiveRule({ validity: 'P60D', before: 'P40D', backstop: 'P35D', plannedLife: 'P1Y' }) },
      'refused RotationPolicyOutOfLimits',
    ],
    [
      'refuses when the HSM holds no policy and the rule only tells',
      { effective: anEffectiveRule({ drift: 'tell' }), policyOnHsm: {} },
      'refused RotationPolicyMissing',
    ],
    [
      "refuses when the HSM's policy would make versions due at birth and the rule only tells",
      { effective: anEffectiveRule({ drift: 'tell' }), policyOnHsm: { expiryTime: 'P30D' } },
      'refused RotationPolicyOutOfLimits',
    ],
    [
      "refuses when the HSM's policy sets no expiry and the rule only tells",
      { effective: anEffectiveRule({ drift: 'tell' }), policyOnHsm: { rotateAfterCreate: 'P90D' } },
      'refused RotationPolicyOutOfLimits',
    ],
    ['waits out a blackout', { effective: anEffectiveRule({ blackouts: [FREEZE] }) }, 'deferred InBlackout'],
    ['waits for its window', { effective: anEffectiveRule({ windows: [WEEKEND] }) }, 'deferred OutsideWindow'],
    [
      'refuses to wait for a window that never opens',
      {
        facts: without(aKey(), 'expiresOn'),
        effective: anEffectiveRule({ maximumAge: 'P180D', windows: [{ ...WEEKEND, days: [] }] }),
      },
      'refused OutsideWindow',
    ],
  ])('%s', (_title, changes, expected) => {
    expect(summary(decideRotation(aRequest(changes)))).toBe(expected);
  });

  it('asks in the documented order: each reason, once removed, gives way to the next', () => {
    const rotation: Partial<RotationRule> = { windows: [WEEKEND], blackouts: [FREEZE], drift: 'tell', mode: 'off' };
    const hold = { tag: 'hold=true' };
    const expiring = aKey({ expiresOn: '2030-01-30T00:00:00Z' });
    const worst: Partial<RotationInput> = {
      expectedVersion: NEW_VERSION,
      facts: { ...expiring, enabled: false },
      effective: anEffectiveRule({ ...rotation, validity: 'P20D' }, { hold }),
      versionsUsed: 100,
      policyOnHsm: {},
    };
    const current = { ...worst, expectedVersion: OLD_VERSION };
    const rotating: Partial<RotationRule> = { ...rotation, mode: 'rotate', validity: 'P20D' };
    const on = { ...current, effective: anEffectiveRule({ ...rotating, before: 'P10D' }, { hold }) };
    const enabled = { ...on, facts: expiring };
    const reminding = { ...enabled, effective: anEffectiveRule({ ...rotating, mode: 'remind', before: 'P30D' }) };
    const early = { ...enabled, effective: anEffectiveRule({ ...rotating, before: 'P10D' }) };
    const due = { ...enabled, effective: anEffectiveRule({ ...rotating, before: 'P19D' }) };
    const affordable = { ...due, versionsUsed: 3 };
    const sound = { ...affordable, effective: anEffectiveRule({ ...rotating, validity: 'P90D', before: 'P19D' }) };
    const inStep = { ...sound, policyOnHsm: { expiryTime: 'P90D' } };
    const clear = {
      ...inStep,
      effective: anEffectiveRule({ ...rotating, validity: 'P90D', before: 'P19D', blackouts: [] }),
    };
    const open = { ...clear, now: new Date('2030-01-19T23:00:00Z') };

    const ladder = [worst, current, on, enabled, reminding, early, due, affordable, sound, inStep, clear, open];
    expect(ladder.map((changes) => summary(decideRotation(aRequest(changes))))).toEqual([
      'keep VersionSuperseded',
      'keep RotationOff',
      'refused KeyDisabled',
      'refused HeldByTag',
      'remind RemindOnly',
      'keep NotDue',
      'refused VersionBudgetSpent',
      'refused RotationPolicyOutOfLimits',
      'refused RotationPolicyMissing',
      'deferred InBlackout',
      'deferred OutsideWindow',
      'rotate NearExpiry',
    ]);
  });

  it('says when a key will be due', () => {
    expect(decideRotation(aRequest({ facts: aKey({ expiresOn: FAR_EXPIRY }) }))).toMatchObject({
      dueOn: '2030-12-02T00:00:00Z',
    });
  });

  it('defers to the first opening after the blackout', () => {
    const effective = anEffectiveRule({ windows: [WEEKEND], blackouts: [FREEZE] });
    expect(decideRotation(aRequest({ effective }))).toMatchObject({ until: '2030-01-20T00:00:00Z' });
    const longer = { ...FREEZE, until: '2030-01-20T02:00:00Z' };
    expect(
      decideRotation(aRequest({ effective: anEffectiveRule({ windows: [WEEKEND], blackouts: [longer] }) })),
    ).toMatchObject({ until: '2030-01-26T22:00:00Z' });
  });
});

describe('expiry', () => {
  it.each([
    [
      'a blackout',
      { blackouts: [{ ...FREEZE, until: '2030-03-01T00:00:00Z' }] },
      'Rotated in a blackout (Release freeze)',
    ],
    ['a window', { windows: [{ ...WEEKEND, opens: '22:00' }] }, 'Rotated outside the maintenance windows'],
  ])('overrules %s that would outlast the key, and says so', (_title, rotation, warning) => {
    const plan = planOf({
      facts: aKey({ expiresOn: '2030-01-18T00:00:00Z' }),
      effective: anEffectiveRule(rotation),
    });
    expect(plan.warnings).toEqual([expect.stringContaining(warning)]);
    expect(plan.warnings[0]).toContain('would have expired on 2030-01-18T00:00:00Z');
  });

  it('that has passed explains what the old version still does', () => {
    const { warnings } = planOf({ facts: aKey({ expiresOn: '2030-01-10T00:00:00Z' }) });
    expect(warnings).toEqual([expect.stringContaining('unwrapped, decrypted and verified')]);
  });
});

describe('an operator', () => {
  it.each<[string, Partial<RotationInput>]>([
    ['the due date', { cause: operator('notDue'), facts: aKey({ expiresOn: FAR_EXPIRY }) }],
    ['a missing expiry', { cause: operator('notDue'), facts: without(aKey(), 'expiresOn') }],
    ['a hold', { cause: operator('hold'), effective: anEffectiveRule({}, { hold: { tag: 'hold=true' } }) }],
    ['a blackout', { cause: operator('blackout'), effective: anEffectiveRule({ blackouts: [FREEZE] }) }],
    ['a window', { cause: operator('window'), effective: anEffectiveRule({ windows: [WEEKEND] }) }],
  ])('overrides %s', (_title, changes) => {
    const plan = planOf(changes);
    expect(plan.reason).toBe('OperatorRequest');
    expect(plan.explanation).toBe('alice@contoso.example asked for it: key was exposed');
  });

  it.each<[string, Partial<RotationInput>, string]>([
    ['a disabled key', { facts: aKey({ enabled: false }) }, 'refused KeyDisabled'],
    ['a spent budget', { versionsUsed: 100 }, 'refused VersionBudgetSpent'],
    ['rotation that is off', { effective: anEffectiveRule({ mode: 'off' }) }, 'keep RotationOff'],
  ])('cannot override %s', (_title, changes, expected) => {
    const cause = operator('window', 'blackout', 'hold', 'notDue');
    expect(summary(decideRotation(aRequest({ cause, ...changes })))).toBe(expected);
  });

  const hoursAgo = (...hours: number[]) =>
    hours.map((each) => new Date(NOW.getTime() - each * 3_600_000).toISOString());

  it('cannot use a key up: five versions within a day are the most, whatever is overridden', () => {
    const cause = operator('window', 'blackout', 'hold', 'notDue');
    const ask = (versionsCreatedOn: string[]) => summary(decideRotation(aRequest({ cause, versionsCreatedOn })));
    expect(ask(hoursAgo(0, 1, 2, 23))).toBe('rotate OperatorRequest');
    expect(ask(hoursAgo(0, 1, 2, 3, 23))).toBe('refused RotatedTooOften');
    expect(ask(hoursAgo(1, 2, 3, 4, 24))).toBe('rotate OperatorRequest');
  });

  it('alone is held to that: what is due, and what an incident asks for, is rotated', () => {
    const versionsCreatedOn = hoursAgo(1, 2, 3, 4, 5, 6);
    const incident = { kind: 'Incident', incident: 'incident-1', by: 'bob', overrides: ['notDue'] } as const;
    expect(planOf({ versionsCreatedOn }).reason).toBe('NearExpiry');
    expect(planOf({ versionsCreatedOn, cause: { ...incident, overrides: [...incident.overrides] } }).reason).toBe(
      'Compromise',
    );
  });

  it('is held to that with whoever gives cause for incidents: what the policy alone answers spends no key', () => {
    const ask = (by: string) =>
      decideRotation(
        aRequest({
          cause: { kind: 'Incident', incident: 'incident-1', by, overrides: ['notDue'] },
          versionsCreatedOn: hoursAgo(1, 2, 3, 4, 5),
        }),
      );
    expect(ask(POLICY_ALONE)).toMatchObject({
      reason: 'RotatedTooOften',
      nextStep: expect.stringContaining('approve the step'),
    });
    expect(summary(ask('bob'))).toBe('rotate Compromise');
  });

  it('who overrides nothing is told that the key is not due', () => {
    const facts = aKey({ expiresOn: FAR_EXPIRY });
    expect(summary(decideRotation(aRequest({ cause: operator(), facts })))).toBe('keep NotDue');
  });
});

describe('a plan', () => {
  it('rotates, proves, compares and tells', () => {
    expect(planOf({}).steps).toEqual(['rotate', 'prove', 'compare', 'tell']);
  });

  it('repairs the policy and backs the key up before it rotates', () => {
    const plan = planOf({ effective: anEffectiveRule({ backupFirst: true }), policyOnHsm: {} });
    expect(plan.steps.slice(0, 3)).toEqual(['repairRotationPolicy', 'backUpKey', 'rotate']);
    expect(plan.warnings).toEqual([expect.stringContaining('expiryTime is absent instead of P1Y')]);
  });

  it('only tells of a policy that differs without harm', () => {
    const plan = planOf({ effective: anEffectiveRule({ drift: 'tell' }), policyOnHsm: { expiryTime: 'P2Y' } });
    expect(plan.steps).not.toContain('repairRotationPolicy');
    expect(plan.warnings).toEqual([expect.stringContaining('expiryTime is P2Y instead of P1Y')]);
  });

  it('carries the notes on the tags', () => {
    const effective = anEffectiveRule({}, { notes: ['Tag rotate was ignored.'] });
    expect(planOf({ effective }).warnings).toEqual(['Tag rotate was ignored.']);
  });

  it('warns when the budget runs out', () => {
    expect(planOf({ versionsUsed: 99 }).warnings).toEqual([
      'This is version 100 of 100: the key can never be rotated again.',
    ]);
  });

  it('warns by the real pace when it is faster than the rule', () => {
    const versionsCreatedOn = ['2030-01-01', '2030-01-05', '2030-01-09', '2030-01-13'].map((day) => `${day}T00:00:00Z`);
    const [warning] = planOf({ versionsUsed: 50, versionsCreatedOn }).warnings;
    expect(warning).toContain('51 of 100 versions are used');
    expect(warning).toContain('Plan a successor key');
  });
});

describe('a version that the HSM made by itself', () => {
  const native = { cause: { kind: 'Native' } as const, facts: aKey({ expiresOn: FAR_EXPIRY }) };

  it('is proven, compared and told, whatever the hour', () => {
    const plan = planOf({ ...native, effective: anEffectiveRule({ windows: [WEEKEND], blackouts: [FREEZE] }) });
    expect(plan).toMatchObject({ reason: 'Native', steps: ['prove', 'compare', 'tell'] });
  });

  it('is left alone when a newer one is there already', () => {
    expect(summary(decideRotation(aRequest({ ...native, expectedVersion: NEW_VERSION })))).toBe(
      'keep VersionSuperseded',
    );
  });
});
