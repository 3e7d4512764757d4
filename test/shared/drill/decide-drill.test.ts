import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costUntilGone, guardCost } from '../../../shared/drill/cost-guard.ts';
import { chance, type DrillInput, decideDrill } from '../../../shared/drill/decide-drill.ts';
import { BUILT_IN_HSM_RULE, type DrillRule } from '../../../shared/policy/hsm-rule.ts';
import { aRecord, daysAgo, NOW } from '../backup/builders.ts';

const aRule = (changes: Partial<DrillRule> = {}): DrillRule => ({
  ...BUILT_IN_HSM_RULE.drills,
  mode: 'on',
  target: { kind: 'standing', hsm: 'contoso-drill' },
  ...changes,
});

const anInput = (changes: Partial<DrillInput> = {}): DrillInput => ({
  hsm: 'contoso',
  rule: aRule(),
  records: [aRecord(daysAgo(1)), aRecord(daysAgo(2)), aRecord(daysAgo(40))],
  lastDrillOn: daysAgo(91),
  watchedSince: daysAgo(400),
  reachesNewHsm: true,
  hsms: ['contoso', 'contoso-drill'],
  targetField: 'drills.target',
  now: NOW,
  ...changes,
});
const request = { id: 'r1', by: 'alice', note: 'audit' };

const TEMPORARY = { kind: 'temporary', region: 'northeurope', softDeleteDays: 7 } as const;

describe('decideDrill', () => {
  it.each<[string, Partial<DrillInput>, Record<string, unknown>]>([
    [
      'runs what is due, with the latest backup',
      {},
      { kind: 'run', reason: 'Scheduled', backup: 'mhsm-contoso-20300114120000', candidates: 2 },
    ],
    [
      'keeps still until it is due',
      { lastDrillOn: daysAgo(89) },
      { kind: 'keep', reason: 'NotDue', nextOn: '2030-01-16T12:00:00Z' },
    ],
    ['gives a new HSM one interval', { lastDrillOn: daysAgo(200), watchedSince: daysAgo(3) }, { kind: 'run' }],
    ['does nothing when drills are off', { rule: aRule({ mode: 'off' }) }, { kind: 'keep', reason: 'DrillsOff' }],
    [
      'follows a person, plan or not',
      { rule: aRule({ mode: 'off' }), request },
      { kind: 'run', reason: 'OperatorRequest', instance: 'drill-contoso-request-r1' },
    ],
    [
      'restores the backup that a person names, whatever its age',
      { request: { ...request, backup: aRecord(daysAgo(40)).id } },
      { kind: 'run', backup: aRecord(daysAgo(40)).id },
    ],
    [
      'refuses a backup that nobody knows',
      { request: { ...request, backup: 'ghost' } },
      { kind: 'refused', reason: 'BackupUnknown' },
    ],
    [
      'refuses a backup that may still change',
      {
        request: { ...request, backup: aRecord(daysAgo(3)).id },
        records: [aRecord(daysAgo(3), { state: 'verified' })],
      },
      { kind: 'refused', reason: 'BackupNotLocked' },
    ],
    ['joins a drill that runs', { running: 'drill-contoso-1' }, { kind: 'join' }],
    [
      'refuses when the window is empty',
      { records: [aRecord(daysAgo(40))] },
      { kind: 'refused', reason: 'NoBackupInWindow' },
    ],
    [
      'refuses to wipe the HSM that it should protect',
      { rule: aRule({ target: { kind: 'standing', hsm: 'Contoso' } }) },
      { kind: 'refused', reason: 'TargetIsSource' },
    ],
    [
      'names the field, the rule and an example where nobody knows the drill HSM',
      { rule: aRule({ target: { kind: 'standing', hsm: 'contoso-dril' } }), targetField: 'hsms[0].drills.target' },
      {
        kind: 'refused',
        reason: 'TargetUnknown',
        explanation:
          'hsms[0].drills.target.hsm names "contoso-dril", and must be an HSM of this installation: contoso-drill.',
        nextStep: expect.stringContaining('{ "kind": "standing", "hsm": "contoso-drill" }'),
      },
    ],
    [
      'gives an example where there is no other HSM',
      { hsms: ['contoso'] },
      {
        explanation: expect.stringContaining('none beside contoso'),
        nextStep: expect.stringContaining('contoso-drill'),
      },
    ],
    [
      'knows the drill HSM in other letters, and calls it as the settings do',
      { rule: aRule({ target: { kind: 'standing', hsm: 'Contoso-DRILL' } }) },
      { kind: 'run', target: { kind: 'standing', hsm: 'contoso-drill' } },
    ],
    [
      'refuses without a place to restore to',
      { rule: aRule({ target: { kind: 'temporary', region: '', softDeleteDays: 7 } }) },
      { kind: 'refused', reason: 'NoTarget' },
    ],
    [
      'refuses to make an HSM that it could not reach',
      { rule: aRule({ target: TEMPORARY }), reachesNewHsm: false },
      { kind: 'refused', reason: 'NoWayToTarget', nextStep: expect.stringContaining('MHSM_HSM_ENDPOINT') },
    ],
    [
      'makes one that it reaches',
      { rule: aRule({ target: TEMPORARY }), reachesNewHsm: true },
      { kind: 'run', target: TEMPORARY },
    ],
    ['needs no way to a standing drill HSM', { reachesNewHsm: false }, { kind: 'run' }],
  ])('%s', (_title, changes, expected) => {
    expect(decideDrill(anInput(changes))).toMatchObject(expected);
  });

  it.each<[string, DrillRule['target'], boolean]>([
    ['TargetUnknown', { kind: 'standing', hsm: 'contoso-dril' }, true],
    ['TargetIsSource', { kind: 'standing', hsm: 'contoso' }, true],
    ['NoTarget', { kind: 'temporary', region: '', softDeleteDays: 7 }, true],
    ['NoWayToTarget', TEMPORARY, false],
  ])('says at once, and not when it is due, that it will not run: %s', (reason, target, reachesNewHsm) => {
    const input = anInput({ rule: aRule({ target }), reachesNewHsm, lastDrillOn: daysAgo(1) });
    expect(decideDrill(input)).toMatchObject({ kind: 'refused', reason, dueOn: '2030-04-14T12:00:00Z' });
    expect(decideDrill({ ...input, lastDrillOn: daysAgo(91) })).not.toHaveProperty('dueOn');
    expect(decideDrill({ ...input, request })).not.toHaveProperty('dueOn');
    expect(decideDrill({ ...input, rule: aRule({ target, mode: 'off' }) })).toMatchObject({ reason: 'DrillsOff' });
  });

  it('counts from when the HSM was first looked after', () => {
    const { lastDrillOn: _, ...never } = anInput({ watchedSince: daysAgo(10) });
    expect(decideDrill(never)).toMatchObject({ kind: 'keep', nextOn: '2030-04-05T12:00:00Z' });
  });

  it('picks by chance from the window alone, and the same backup for the same drill', () => {
    const ages = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(ages, fc.stringMatching(/^[a-z0-9]{1,8}$/), (days, id) => {
        const input = anInput({
          rule: aRule({ pick: 'random' }),
          records: days.map((each) => aRecord(daysAgo(each))),
          request: { ...request, id },
        });
        const decision = decideDrill(input);
        expect(decideDrill(structuredClone(input))).toEqual(decision);
        const eligible = days.filter((each) => each <= 30).map((each) => aRecord(daysAgo(each)).id);
        if (decision.kind === 'run') expect(eligible).toContain(decision.backup);
        else expect(eligible).toEqual([]);
      }),
    );
  });

  it('reaches every backup by chance, none of them far more often than others', () => {
    const counts = new Map<number, number>();
    for (let id = 0; id < 5000; id += 1) {
      const bucket = Math.floor(chance(`drill-contoso-${id}`) * 10);
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
    }
    expect(counts.size).toBe(10);
    for (const count of counts.values()) expect(count).toBeGreaterThan(400);
  });
});

describe('guardCost', () => {
  const rule = { pricePerHour: 3.42, currency: 'USD', budget: 900 };
  const temporary = { kind: 'temporary' as const, purgeProtection: false, softDeleteDays: 7 };
  const guard = (changes: Partial<Parameters<typeof guardCost>[0]> = {}) =>
    guardCost({ rule, target: temporary, expectedHours: 5.5, ...changes });

  it('bills hours begun, and the days of a soft-deleted HSM', () => {
    expect(guard()).toMatchObject({
      kind: 'allowed',
      warnings: [],
      estimate: { running: 20.52, softDeleted: 574.56, atLeast: 20.52, atMost: 595.08 },
    });
  });

  it('refuses purge protection on a temporary HSM, unless a person insists', () => {
    const target = { ...temporary, purgeProtection: true };
    expect(guard({ target })).toMatchObject({
      kind: 'refused',
      reason: 'PurgeProtectionOnTemporary',
      explanation: expect.stringContaining('595.08 USD'),
    });
    expect(guard({ target, acceptPurgeProtection: true })).toMatchObject({
      kind: 'allowed',
      estimate: { atLeast: 595.08 },
    });
    expect(guard({ target: { ...target, softDeleteDays: 90 }, acceptPurgeProtection: true })).toMatchObject({
      reason: 'OverBudget',
    });
  });

  it('keeps the budget, soft-deleted days included, because nobody purges by habit', () => {
    expect(guard({ expectedHours: 300 })).toMatchObject({ kind: 'refused', reason: 'OverBudget' });
    expect(guard({ target: { ...temporary, softDeleteDays: 11 } })).toMatchObject({
      kind: 'refused',
      explanation: expect.stringContaining('11 days'),
    });
  });

  it('says what it costs when people take all the time that they have', () => {
    expect(guard({ longestHours: 72 })).toMatchObject({ warnings: [expect.stringContaining('246.24 USD')] });
    expect(guard({ longestHours: 4 })).toMatchObject({ warnings: [] });
  });

  it('guesses no price', () => {
    const verdict = guardCost({ rule: { currency: 'USD' }, target: temporary, expectedHours: 1 });
    expect(verdict).toMatchObject({ kind: 'allowed', warnings: [expect.stringContaining('No price')] });
    expect(verdict.estimate).not.toHaveProperty('atMost');
  });

  it('charges nothing for a standing HSM', () => {
    expect(guard({ target: { kind: 'standing' } })).toMatchObject({ kind: 'allowed', estimate: { atMost: 0 } });
  });

  it('never costs less for longer', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 200 }), (a, b) => {
        const cost = (hours: number) => guard({ expectedHours: hours }).estimate.atMost ?? 0;
        expect(cost(Math.max(a, b))).toBeGreaterThanOrEqual(cost(Math.min(a, b)));
      }),
    );
  });

  it('says when a deleted HSM goes, and what it costs until then', () => {
    expect(costUntilGone(rule, { scheduledPurgeOn: daysAgo(-2), purgeProtection: true }, NOW)).toMatchObject({
      hours: 48,
      cost: 164.16,
      text: expect.stringContaining('forbids'),
    });
    expect(
      costUntilGone({ currency: 'USD' }, { scheduledPurgeOn: daysAgo(2), purgeProtection: false }, NOW),
    ).toMatchObject({ hours: 0, text: expect.stringContaining('Purge it') });
  });
});
