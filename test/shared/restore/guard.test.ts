import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guardRestore, type RestoreGuardInput } from '../../../shared/restore/guard.ts';
import { decideSafety, type SafetyAnswer, type SafetyInput } from '../../../shared/restore/safety-backup.ts';
import { toIso } from '../../../shared/time.ts';
import { aRecord, daysAgo, NOW } from '../backup/builders.ts';

const minutesAgo = (minutes: number): string => toIso(new Date(NOW.getTime() - minutes * 60_000));

const anInput = (changes: Partial<RestoreGuardInput> = {}): RestoreGuardInput => ({
  target: { hsm: 'contoso', securityDomain: 'sd-1', externalKeys: [] },
  backup: aRecord(daysAgo(1)),
  request: { by: 'alice@contoso.example', at: minutesAgo(60), confirmation: 'contoso', instance: 'restore-1' },
  approval: { by: 'bob@contoso.example', at: minutesAgo(30), decision: 'approved' },
  approvalLasts: 'PT8H',
  lock: { operation: 'restore', holder: 'restore-1' },
  safety: { rule: 'ask', completedOn: minutesAgo(5), answers: [] },
  now: NOW,
  ...changes,
});
const { approval: _, ...unapproved } = anInput();
const target = (changes: Partial<RestoreGuardInput['target']>) => ({ target: { ...anInput().target, ...changes } });
const doubt = { on: daysAgo(0), drill: 'drill-7', reason: 'key a is missing.' };

/** In the order of the chain: each case violates this rule alone. */
const VIOLATIONS: [string, Partial<RestoreGuardInput>][] = [
  ['LockHeld', { lock: { operation: 'backup', holder: 'backup-9' } }],
  ['BackupPruned', { backup: aRecord(daysAgo(1), { prunedOn: daysAgo(0) }) }],
  ['BackupPruned', { backup: aRecord(daysAgo(1), { pruningSince: daysAgo(0) }) }],
  ['BackupNotVerified', { backup: aRecord(daysAgo(1), { state: 'landed' }) }],
  ['BackupDoubted', { backup: aRecord(daysAgo(1), { doubt }) }],
  ['WrongSecurityDomain', target({ securityDomain: 'sd-2' })],
  ['ExternalKeysPresent', target({ externalKeys: ['ekm-1'] })],
  ['ConfirmationWrong', { request: { ...anInput().request, confirmation: 'Contoso' } }],
  ['ApproverIsRequester', { approval: { by: ' Alice@contoso.example', at: minutesAgo(1), decision: 'approved' } }],
  ['ApprovalDenied', { approval: { by: 'bob', at: minutesAgo(1), decision: 'denied', note: 'Not today.' } }],
  ['ApprovalExpired', { approval: { by: 'bob', at: minutesAgo(481), decision: 'approved' } }],
];

describe('guardRestore', () => {
  it('proceeds when everything is as it must be', () => {
    expect(guardRestore(anInput())).toMatchObject({ kind: 'proceed' });
  });

  it.each(VIOLATIONS)('refuses with %s, and says what to do', (reason, changes) => {
    const verdict = guardRestore(anInput(changes));
    expect(verdict).toMatchObject({ kind: 'refused', reason });
    expect(
      verdict.kind === 'refused' && [verdict.explanation, verdict.nextStep].every((text) => text.length > 10),
    ).toBe(true);
  });

  it('takes the first violation of the chain, whatever else is wrong', () => {
    const good = anInput();
    const repairs: [string, Partial<RestoreGuardInput>][] = [
      ['LockHeld', { lock: { operation: 'restore', holder: 'restore-1' } }],
      ['BackupNotVerified', { backup: good.backup }],
      ['WrongSecurityDomain', { target: { hsm: 'contoso', securityDomain: 'sd-1', externalKeys: ['ekm-1'] } }],
      ['ExternalKeysPresent', { target: good.target }],
      ['ConfirmationWrong', { request: good.request }],
    ];
    let input = anInput({
      lock: { operation: 'backup', holder: 'backup-9' },
      backup: aRecord(daysAgo(1), { state: 'landed' }),
      target: { hsm: 'contoso', securityDomain: 'sd-2', externalKeys: ['ekm-1'] },
      request: { ...good.request, confirmation: '' },
      approval: { by: 'bob', at: minutesAgo(481), decision: 'approved' },
    });
    for (const [reason, repair] of repairs) {
      expect(guardRestore(input)).toMatchObject({ reason });
      input = Object.assign(input, repair);
    }
    expect(guardRestore(input)).toMatchObject({ reason: 'ApprovalExpired' });
  });

  it('never takes what could not be read for permission', () => {
    expect(guardRestore(anInput({ target: { hsm: 'contoso', externalKeys: [] } }))).toMatchObject({
      reason: 'SecurityDomainUnknown',
    });
    expect(guardRestore(anInput({ target: { hsm: 'contoso', securityDomain: 'sd-1' } }))).toMatchObject({
      reason: 'ExternalKeysUnknown',
    });
  });

  it('lets a person accept external keys and an unverified backup, and nothing else', () => {
    const risky = { ...target({ externalKeys: ['ekm-1'] }), backup: aRecord(daysAgo(1), { state: 'landed' }) };
    expect(guardRestore(anInput({ ...risky, accepts: ['externalKeys', 'unverifiedBackup'] })).kind).toBe('proceed');
    const wrong = { ...target({ securityDomain: 'sd-2' }), accepts: ['externalKeys', 'unverifiedBackup'] as const };
    expect(guardRestore(anInput(wrong))).toMatchObject({ reason: 'WrongSecurityDomain' });
  });

  it('waits for an approval, and no longer than it would be good', () => {
    expect(guardRestore(unapproved)).toMatchObject({ kind: 'awaitApproval', until: '2030-01-15T19:00:00Z' });
    expect(guardRestore({ ...unapproved, approvalLasts: 'PT30M' })).toMatchObject({ reason: 'ApprovalExpired' });
  });

  it('takes a safety backup first, once everything else is agreed', () => {
    expect(guardRestore(anInput({ safety: { rule: 'ask', answers: [] } }))).toMatchObject({ kind: 'takeSafetyBackup' });
    expect(guardRestore({ ...unapproved, safety: { rule: 'ask', answers: [] } }).kind).toBe('awaitApproval');
  });
});

describe('the safety backup', () => {
  const decide = (changes: Partial<SafetyInput>) =>
    decideSafety({ rule: 'ask', answers: [], now: NOW, completedOn: minutesAgo(5), ...changes });
  const answered = (answer: SafetyAnswer, completed: number, at = 0) => ({
    answer,
    completedOn: minutesAgo(completed),
    at: minutesAgo(at),
  });

  it.each<[string, Partial<SafetyInput>, Record<string, unknown>]>([
    ['ask: tries at once', {}, { kind: 'try' }],
    ['ask: tries with an old one as well', { completedOn: minutesAgo(300) }, { kind: 'try' }],
    [
      'ask: waits when it was too young',
      { answers: [answered('tooSoon', 5)] },
      { kind: 'wait', reason: 'SafetyBackupTooYoung', until: '2030-01-15T12:26:00Z' },
    ],
    [
      'ask: tries again once it is old enough',
      { completedOn: minutesAgo(32), answers: [answered('tooSoon', 32, 20)] },
      { kind: 'try' },
    ],
    [
      'ask: takes a new one when it was too old',
      { completedOn: minutesAgo(40), answers: [answered('tooLate', 40)] },
      { kind: 'take', reason: 'SafetyBackupTooOld' },
    ],
    ['ask: tries the new one', { completedOn: minutesAgo(1), answers: [answered('tooLate', 40, 20)] }, { kind: 'try' }],
    [
      'ask: pauses when the answer is unclear',
      { answers: [answered('refused', 5)] },
      { kind: 'wait', reason: 'SafetyAnswerUnclear', until: '2030-01-15T12:10:00Z' },
    ],
    [
      'ask: gives up on answers without end',
      { answers: Array.from({ length: 6 }, () => answered('tooSoon', 5)) },
      { kind: 'refused', reason: 'SafetyRuleUnclear' },
    ],
    ['atLeast: waits for half an hour', { rule: 'atLeast' }, { kind: 'wait', until: '2030-01-15T12:26:00Z' }],
    ['atLeast: tries after it', { rule: 'atLeast', completedOn: minutesAgo(31) }, { kind: 'try' }],
    ['within: tries a young one', { rule: 'within' }, { kind: 'try' }],
    [
      'within: replaces an old one',
      { rule: 'within', completedOn: minutesAgo(31) },
      { kind: 'take', reason: 'SafetyBackupTooOld' },
    ],
  ])('%s', (_title, changes, expected) => {
    expect(decide(changes)).toMatchObject(expected);
  });

  it('comes to a restore or to a person under every reading that a service may hold', () => {
    const readings = fc.constantFrom<(age: number) => SafetyAnswer | undefined>(
      (age) => (age < 30 ? 'tooSoon' : undefined),
      (age) => (age > 30 ? 'tooLate' : undefined),
      () => undefined,
      () => 'refused',
      (age) => (age < 30 ? 'tooSoon' : 'tooLate'),
    );
    fc.assert(
      fc.property(
        readings,
        fc.constantFrom('ask' as const, 'atLeast' as const, 'within' as const),
        fc.nat(120),
        (service, rule, start) => {
          let now = NOW;
          let completedOn: string | undefined = minutesAgo(start);
          const answers: SafetyInput['answers'][number][] = [];
          for (let turn = 0; turn < 40; turn += 1) {
            const decision = decideSafety({ rule, completedOn, answers, now });
            if (decision.kind === 'refused') return;
            if (decision.kind === 'wait') {
              expect(Date.parse(decision.until)).toBeGreaterThan(now.getTime());
              now = new Date(decision.until);
            } else if (decision.kind === 'take') {
              now = new Date(now.getTime() + 60_000);
              completedOn = toIso(now);
            } else {
              const answer = service((now.getTime() - Date.parse(completedOn)) / 60_000);
              if (answer === undefined) return;
              answers.push({ answer, completedOn, at: toIso(now) });
            }
          }
          expect.unreachable('it went on for ever');
        },
      ),
    );
  });
});
