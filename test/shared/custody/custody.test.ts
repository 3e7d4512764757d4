import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeExpiry } from '../../../shared/custody/expiry.ts';
import { type CustodyFact, foldCustody, lineages } from '../../../shared/custody/ledger.ts';
import { judgeQuorum } from '../../../shared/custody/quorum.ts';
import { judgeReview } from '../../../shared/custody/reviews.ts';
import { BUILT_IN_HSM_RULE } from '../../../shared/policy/hsm-rule.ts';
import { daysAgo, NOW } from '../backup/builders.ts';
import { aCertificate, aLedger, FINGERPRINTS, fact } from './builders.ts';

const rule = BUILT_IN_HSM_RULE.custody;
const [first, second] = FINGERPRINTS as [string, string, string];
const fold = (...more: CustodyFact[]) => foldCustody('sd-1', [...aLedger(), ...more]);
const judge = (...more: CustodyFact[]) => judgeQuorum(fold(...more), rule, NOW);
const lost = (certificate: string, at = 1) => fact({ kind: 'ShareLost', certificate, reason: 'stolen' }, at);

describe('the ledger', () => {
  it('folds facts to who holds what, where, and when it was last seen', () => {
    const custody = fold(fact({ kind: 'ShareSighted', certificate: first, place: 'Vault B' }, 2));
    expect(custody).toMatchObject({ quorum: 2, hsms: ['contoso', 'contoso-drill'] });
    expect(custody.shares[0]).toMatchObject({
      holder: { name: 'Ada', place: 'Vault B' },
      lastSeen: { at: daysAgo(2) },
    });
    expect(custody.files).toMatchObject([{ copy: 'copy-1', place: 'Berlin' }]);
  });

  it('remembers each hand-over with who gave it', () => {
    const custody = fold(
      fact({ kind: 'ShareHandedOver', certificate: first, to: { name: 'Eve', place: 'Bonn' }, witness: 'Bob' }, 1),
    );
    expect(custody.shares[0]?.handOvers).toEqual([
      { at: daysAgo(20), to: 'Ada' },
      { at: daysAgo(1), from: 'Ada', to: 'Eve', witness: 'Bob' },
    ]);
  });

  it('believes no sighting of a lost share until somebody says that it was found', () => {
    const sighted = fold(lost(first, 3), fact({ kind: 'ShareSighted', certificate: first }, 2));
    expect(sighted.shares[0]?.lost).toBeDefined();
    expect(fold(lost(first, 3), fact({ kind: 'ShareFound', certificate: first }, 2)).shares[0]).not.toHaveProperty(
      'lost',
    );
  });

  it('counts the shares of the last download alone', () => {
    const again = fact(
      { kind: 'SecurityDomainRecorded', hsms: ['contoso'], quorum: 2, certificates: ['e'.repeat(64), first, second] },
      1,
    );
    expect(fold(again).shares.map(({ certificate }) => certificate)).toEqual(['e'.repeat(64), first, second]);
  });

  it('groups HSMs by the security domain that they share', () => {
    const other = {
      ...fact({ kind: 'SecurityDomainRecorded', hsms: ['fabrikam'], quorum: 2, certificates: FINGERPRINTS }),
      securityDomain: 'sd-2',
    };
    expect(lineages([...aLedger(), other])).toEqual({ 'sd-1': ['contoso', 'contoso-drill'], 'sd-2': ['fabrikam'] });
  });

  it('comes to the same state in whatever order facts arrive, and however often', () => {
    const facts = [
      ...aLedger(),
      lost(first, 3),
      fact({ kind: 'Reviewed' }, 2),
      fact({ kind: 'HolderUnavailable', holder: 'Bob', reason: 'leave' }, 4),
    ];
    const expected = foldCustody('sd-1', facts);
    fc.assert(
      fc.property(fc.shuffledSubarray(facts, { minLength: facts.length }), fc.subarray(facts), (order, repeats) => {
        expect(foldCustody('sd-1', [...order, ...repeats])).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });
});

describe('judgeQuorum', () => {
  it('is safe with a share to spare', () => {
    expect(judge()).toMatchObject({ state: 'safe', alarm: false, text: 'Three of three reachable, need two.' });
  });

  it.each<[string, CustodyFact[], string, string]>([
    [
      'one lost: at risk while the answer is still yes',
      [lost(first)],
      'atRisk',
      'Two of three reachable, need two; one out of reach.',
    ],
    ['two lost: gone', [lost(first), lost(second)], 'lost', 'One of three reachable, need two; two out of reach.'],
    [
      'a holder on leave',
      [fact({ kind: 'HolderUnavailable', holder: ' ADA', reason: 'leave' }, 1)],
      'atRisk',
      'Two of three reachable, need two; one out of reach.',
    ],
    [
      'a holder back from leave',
      [
        fact({ kind: 'HolderUnavailable', holder: 'Ada', reason: 'leave' }, 3),
        fact({ kind: 'HolderAvailable', holder: 'Ada' }, 1),
      ],
      'safe',
      'Three of three reachable, need two.',
    ],
    [
      'a leave that has ended',
      [fact({ kind: 'HolderUnavailable', holder: 'Ada', reason: 'leave', until: daysAgo(1) }, 9)],
      'safe',
      'Three of three reachable, need two.',
    ],
  ])('%s', (_title, more, state, text) => {
    expect(judge(...more)).toMatchObject({ state, text, alarm: state !== 'safe' });
  });

  it('does not know what nobody has seen lately, and doubts a quorum that needs it', () => {
    const later = new Date(NOW.getTime() + 90 * 86_400_000);
    expect(judgeQuorum(fold(), rule, later)).toMatchObject({
      state: 'doubtful',
      alarm: true,
      text: 'None of three reachable, need two; three unknown.',
    });
  });

  it('raises the alarm when nothing is recorded', () => {
    expect(judgeQuorum(foldCustody('sd-9', []), rule, NOW)).toMatchObject({ state: 'unknown', alarm: true });
  });

  it('names a place whose loss alone would break the quorum, and when the answer turns worse', () => {
    const moved = judge(fact({ kind: 'ShareSighted', certificate: second, place: 'Berlin' }, 1));
    expect(moved.singlePoints).toEqual(['Berlin']);
    expect(judge()).toMatchObject({ singlePoints: [], worsensOn: daysAgo(20 - 100) });
  });

  const RANK = { safe: 0, atRisk: 1, doubtful: 2, lost: 3, unknown: 4 };
  const someFact = fc.oneof(
    fc
      .record({ certificate: fc.constantFrom(...FINGERPRINTS), at: fc.nat(200) })
      .map(({ certificate, at }) => fact({ kind: 'ShareSighted', certificate }, at)),
    fc
      .record({ certificate: fc.constantFrom(...FINGERPRINTS), at: fc.nat(200) })
      .map(({ certificate, at }) => lost(certificate, at)),
    fc
      .record({ holder: fc.constantFrom('Ada', 'Bob', 'Eve'), at: fc.nat(200) })
      .map(({ holder, at }) => fact({ kind: 'HolderUnavailable', holder, reason: 'leave' }, at)),
  );

  it('counts every share once, and says yes only with a quorum of reachable ones', () => {
    fc.assert(
      fc.property(fc.array(someFact, { maxLength: 8 }), (facts) => {
        const { reachable, unreachable, unknown, total, state, needed } = judge(...facts);
        expect(reachable + unreachable + unknown).toBe(total);
        expect(['safe', 'atRisk'].includes(state)).toBe(reachable >= (needed ?? 0));
        expect(state === 'safe').toBe(reachable >= (needed ?? 0) + rule.margin);
      }),
    );
  });

  it('never turns better by waiting, and never worse by a sighting', () => {
    fc.assert(
      fc.property(
        fc.array(someFact, { maxLength: 6 }),
        fc.nat(300),
        fc.constantFrom(...FINGERPRINTS),
        (facts, days, seen) => {
          const custody = fold(...facts);
          const later = new Date(NOW.getTime() + days * 86_400_000);
          const now = judgeQuorum(custody, rule, NOW);
          expect(RANK[judgeQuorum(custody, rule, later).state]).toBeGreaterThanOrEqual(RANK[now.state]);
          const after = fold(...facts, fact({ kind: 'ShareSighted', certificate: seen }, 0));
          expect(RANK[judgeQuorum(after, rule, NOW).state]).toBeLessThanOrEqual(RANK[now.state]);
        },
      ),
    );
  });

  it('raises the alarm before the answer becomes no: losing shares one by one passes through at risk', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(FINGERPRINTS, { minLength: 3 }), (order) => {
        const states = order.map((_, index) => judge(...order.slice(0, index + 1).map((each) => lost(each))).state);
        expect(states).toEqual(['atRisk', 'lost', 'lost']);
      }),
    );
  });
});

describe('judgeExpiry', () => {
  it('warns in time, and says that an expired certificate still serves', () => {
    const custody = fold(
      fact({ kind: 'CertificateRegistered', certificate: aCertificate(first, { notAfter: daysAgo(3) }) }, 1),
      fact({ kind: 'CertificateRegistered', certificate: aCertificate(second, { notAfter: daysAgo(-60) }) }, 1),
    );
    const { due, text } = judgeExpiry(custody, rule, NOW);
    expect(due.map(({ state, daysLeft, holder }) => [state, daysLeft, holder])).toEqual([
      ['expired', -3, 'Ada'],
      ['expiring', 60, 'Bob'],
    ]);
    expect(text).toContain('still serves for recovery');
    expect(judgeQuorum(custody, rule, NOW).state).toBe('safe');
  });

  it('has nothing to say of valid ones', () => {
    expect(judgeExpiry(fold(), rule, NOW)).toMatchObject({ due: [], text: 'All 3 wrapping certificates are valid.' });
  });
});

describe('judgeReview', () => {
  it.each([
    [30, 'ok'],
    [80, 'dueSoon'],
    [95, 'overdue'],
  ])('%d days after the last one is %s', (days, state) => {
    expect(judgeReview(fold(fact({ kind: 'Reviewed' }, days)), rule, NOW).state).toBe(state);
  });

  it('gives an agenda with every share, every copy, and what to improve', () => {
    const { agenda, state } = judgeReview(fold(), rule, NOW);
    expect(state).toBe('never');
    expect(agenda.filter((line) => line.startsWith('See the share'))).toHaveLength(3);
    expect(agenda).toContain('Keep a second copy of the security-domain file in another place.');
  });
});
