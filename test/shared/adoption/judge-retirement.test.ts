import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Adoption, VersionUse } from '../../../shared/adoption/judge-adoption.ts';
import { judgeRetirement, missedBy, type RetirementInput } from '../../../shared/adoption/judge-retirement.ts';

const OLD = 'a'.repeat(32);
const NEW = 'b'.repeat(32);
const now = new Date('2030-03-01T00:00:00Z');
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000).toISOString();
const use = (days: number, changes: Partial<VersionUse> = {}): VersionUse => ({
  version: OLD,
  caller: { oid: 'oid-app' },
  class: 'crypto.protect',
  outcome: 'ok',
  count: 1,
  first: daysAgo(days),
  last: daysAgo(days),
  ...changes,
});
const adopted: Adoption = {
  kind: 'judged',
  version: NEW,
  since: '',
  adopted: true,
  explanation: '',
  callers: [],
  unprotect: [],
};
const approved = { by: 'oid-ana', at: daysAgo(0), decision: 'approved' } as const;
const input = (changes: Partial<RetirementInput> = {}): RetirementInput => ({
  version: OLD,
  versions: [
    { version: OLD, enabled: true, createdOn: daysAgo(400) },
    { version: NEW, enabled: true, createdOn: daysAgo(60) },
  ],
  held: false,
  adoption: adopted,
  use: [use(43)],
  own: ['client-us'],
  rule: { silence: 'P35D', grace: 'P7D' },
  asked: { by: 'oid-omar', until: daysAgo(-3) },
  decision: approved,
  now,
  ...changes,
});
const versions = (old: boolean, fresh: boolean) => [
  { version: OLD, enabled: old, createdOn: daysAgo(400) },
  { version: NEW, enabled: fresh, createdOn: daysAgo(60) },
];

describe('the retirement of an old version', () => {
  test('proceeds when nobody used it within silence and grace, and another person approved', () => {
    expect(judgeRetirement(input())).toEqual({ kind: 'proceed' });
  });

  test('waits for an approval until it is too late', () => {
    const { decision: _, ...undecided } = input();
    expect(judgeRetirement(undecided)).toEqual({ kind: 'awaitApproval', until: daysAgo(-3) });
    expect(judgeRetirement({ ...undecided, now: new Date(daysAgo(-3)) })).toMatchObject({ reason: 'ApprovalExpired' });
  });

  test.each<[string, Partial<RetirementInput>, string]>([
    ['of a version that is not there', { version: 'c'.repeat(32) }, 'VersionUnknown'],
    ['of the newest', { version: NEW }, 'VersionIsNewest'],
    ['of one that is disabled', { versions: versions(false, true) }, 'AlreadyDisabled'],
    ['of the only one that is enabled', { versions: versions(true, false) }, 'OnlyEnabledVersion'],
    ['of a held key', { held: true }, 'HeldByTag'],
    ['without a log', { use: undefined }, 'UseUnknown'],
    ['without a judgement of adoption', { adoption: { kind: 'unknown', explanation: '' } }, 'UseUnknown'],
    ['while others stay behind', { adoption: { ...adopted, adopted: false } }, 'NotAdopted'],
    ['of one that protected within the window', { use: [use(41.9)] }, 'VersionInUse'],
    ['of one that opened data within the window', { use: [use(1, { class: 'crypto.unprotect' })] }, 'VersionInUse'],
    ['of one that somebody was refused', { use: [use(1, { outcome: 'denied' })] }, 'VersionInUse'],
    ['that was denied', { decision: { ...approved, decision: 'denied' } }, 'Denied'],
    ['approved by who asked', { decision: { ...approved, by: 'OID-OMAR' } }, 'ApprovedByRequester'],
  ])('%s is refused', (_, changes, reason) => {
    const verdict = judgeRetirement(input(changes));
    expect(verdict).toMatchObject({ kind: 'refused', reason });
    if (verdict.kind === 'refused') expect(verdict.nextStep).not.toBe('');
  });

  test('is not held up by our own proofs, by other versions, or by the challenge of a client', () => {
    const others = [
      use(1, { caller: { oid: 'x', app: 'client-us' } }),
      use(1, { version: NEW }),
      use(1, { version: '' }),
      use(1, { outcome: 'challenged' }),
    ];
    expect(judgeRetirement(input({ use: others }))).toEqual({ kind: 'proceed' });
  });

  test('never proceeds with any use to protect inside the window, whatever else is so', () => {
    const anyUse = fc.record({
      version: fc.constantFrom(OLD, NEW, ''),
      oid: fc.constantFrom('a', 'b', ''),
      class: fc.constantFrom('crypto.protect', 'crypto.unprotect', 'read.key'),
      outcome: fc.constantFrom('ok', 'denied', 'failed'),
      days: fc.double({ min: 0, max: 60, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(anyUse), fc.double({ min: 0, max: 41.99, noNaN: true }), (rows, inside) => {
        const calls = rows.map(({ oid, days, ...each }) => use(days, { ...each, caller: { oid } }));
        const verdict = judgeRetirement(input({ use: [...calls, use(inside)] }));
        expect(verdict).toMatchObject({ kind: 'refused', reason: 'VersionInUse' });
      }),
    );
  });
});

describe('a disabled version', () => {
  test('is missed by whoever was refused with it since, and by nobody else', () => {
    const rows = [
      use(1, { outcome: 'denied' }),
      use(1, { outcome: 'denied', class: 'crypto.unprotect', caller: { oid: '', app: 'app-1' } }),
      use(3, { outcome: 'denied', caller: { oid: 'before' } }),
      use(1, { outcome: 'ok', caller: { oid: 'fine' } }),
      use(1, { outcome: 'denied', version: NEW, caller: { oid: 'other' } }),
      use(1, { outcome: 'denied', caller: { oid: 'x', app: 'client-us' } }),
    ];
    expect(missedBy(OLD, rows, ['client-us'], daysAgo(2))).toEqual(['oid-app', 'app app-1']);
  });
});
