import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyFacts, KeyOperation } from '../../../shared/keys/key.ts';
import { judgeProof, type ProofResult } from '../../../shared/rotation/judge-proof.ts';
import { planProof, planSentinel } from '../../../shared/rotation/plan-proof.ts';
import type { ProofPlan, Sentinel } from '../../../shared/rotation/proof.ts';
import { aKey, NEW_VERSION, NOW, OLD_VERSION, without } from '../builders.ts';

const WRAP: KeyOperation[] = ['wrapKey', 'unwrapKey'];
const fresh = (changes: Partial<KeyFacts> = {}) =>
  aKey({ version: NEW_VERSION, createdOn: '2030-01-15T11:59:00Z', expiresOn: '2031-01-15T11:59:00Z', ...changes });
const expired = (changes: Partial<KeyFacts> = {}) => aKey({ expiresOn: '2030-01-01T00:00:00Z', ...changes });

const SENTINEL: Sentinel = {
  version: OLD_VERSION,
  operation: 'wrapKey',
  algorithm: 'RSA-OAEP-256',
  madeOn: '2029-02-01T00:00:00Z',
  ciphertext: 'Y2lwaGVydGV4dA',
  plaintextSha256: '1'.repeat(64),
};

const told = ({ checks }: ProofPlan) => checks.map(({ id, algorithm, input }) => `${id} ${algorithm} ${input.from}`);

describe('planProof', () => {
  it.each<[string, Partial<KeyFacts>, string[]]>([
    [
      'wraps and unwraps with an RSA key made for wrapping',
      { keyOps: WRAP },
      ['new.wrapKey RSA-OAEP-256', 'new.unwrapKey RSA-OAEP-256'],
    ],
    [
      'tries all that an RSA key permits',
      {},
      [
        'new.wrapKey RSA-OAEP-256',
        'new.unwrapKey RSA-OAEP-256',
        'new.encrypt RSA-OAEP-256',
        'new.decrypt RSA-OAEP-256',
        'new.sign PS256',
        'new.verify PS256',
      ],
    ],
    [
      'names AES algorithms by the size of the key',
      { keyType: 'oct-HSM', keySize: 192, keyOps: ['encrypt', 'decrypt', ...WRAP] },
      ['new.wrapKey A192KW', 'new.unwrapKey A192KW', 'new.encrypt A192GCM', 'new.decrypt A192GCM'],
    ],
    ['signs on P-256', ec('P-256'), ['new.sign ES256', 'new.verify ES256']],
    ['signs on P-256K', ec('P-256K'), ['new.sign ES256K', 'new.verify ES256K']],
    ['signs on P-384', ec('P-384'), ['new.sign ES384', 'new.verify ES384']],
    ['signs on P-521', ec('P-521'), ['new.sign ES512', 'new.verify ES512']],
  ])('%s', (_title, changes, expected) => {
    const plan = planProof(fresh(changes), undefined, undefined, NOW);
    expect(plan.checks.map(({ id, algorithm }) => `${id} ${algorithm}`)).toEqual(expected);
    expect(plan.unprovable).toEqual([]);
  });

  it('reduces a message by the digest of the curve', () => {
    const plan = planProof(fresh(ec('P-384')), undefined, undefined, NOW);
    expect(plan.checks.map(({ digest }) => digest)).toEqual(['SHA-384', 'SHA-384']);
  });

  it('lets the old version open what it made long ago', () => {
    const plan = planProof(fresh({ keyOps: WRAP }), expired({ keyOps: WRAP }), SENTINEL, NOW);
    expect(told(plan)).toEqual([
      'new.wrapKey RSA-OAEP-256 fresh',
      'new.unwrapKey RSA-OAEP-256 check',
      'old.unwrapKey RSA-OAEP-256 sentinel',
    ]);
    expect(plan.unprovable).toEqual([]);
  });

  it('lets the old version make and open something now, while it is valid and nothing was kept', () => {
    const plan = planProof(fresh({ keyOps: WRAP }), aKey({ keyOps: WRAP }), undefined, NOW);
    expect(told(plan).slice(2)).toEqual(['old.wrapKey RSA-OAEP-256 fresh', 'old.unwrapKey RSA-OAEP-256 check']);
  });

  it('does not take the sentinel of another version', () => {
    const plan = planProof(fresh(), expired(), { ...SENTINEL, version: NEW_VERSION }, NOW);
    expect(plan.unprovable).toMatchObject([{ subject: 'old', reason: 'ExpiredWithoutSentinel' }]);
  });

  it.each<[string, Partial<KeyFacts>, string]>([
    ['nothing permitted', { keyOps: [] }, 'NoProvableOperation'],
    ['half a pair', { keyOps: ['unwrapKey', 'verify'] }, 'NoProvableOperation'],
    ['a key exchange key', { keyOps: ['import'] }, 'NoProvableOperation'],
    ['a curve that nobody knows', ec('P-999'), 'NoProvableOperation'],
    ['a disabled version', { enabled: false }, 'Disabled'],
    ['a version for later', { notBefore: '2030-02-01T00:00:00Z' }, 'NotYetValid'],
  ])('cannot prove %s', (_title, changes, reason) => {
    expect(planProof(fresh(changes), undefined, undefined, NOW)).toMatchObject({
      checks: [],
      unprovable: [{ subject: 'new', reason }],
    });
  });

  it('cannot prove an AES key whose size the service does not tell', () => {
    const key = without(fresh({ keyType: 'oct-HSM', keyOps: WRAP }), 'keySize');
    expect(planProof(key, undefined, undefined, NOW).unprovable).toMatchObject([{ reason: 'NoProvableOperation' }]);
  });

  it('asks only for what each version permits and may do, with each input ready in time', () => {
    const operation = fc.constantFrom<KeyOperation>(
      'encrypt',
      'decrypt',
      'sign',
      'verify',
      'wrapKey',
      'unwrapKey',
      'import',
    );
    const facts = fc.record({
      keyOps: fc.uniqueArray(operation),
      keyType: fc.constantFrom('RSA-HSM', 'EC-HSM', 'oct-HSM'),
      keySize: fc.constantFrom(128, 256, 2048),
      curve: fc.constantFrom('P-256', 'P-521', ''),
      enabled: fc.boolean(),
      expiresOn: fc.constantFrom('2029-12-01T00:00:00Z', '2031-01-01T00:00:00Z'),
    });
    fc.assert(
      fc.property(facts, facts, fc.boolean(), (newer, older, kept) => {
        const [after, before] = [fresh(newer), aKey(older)];
        const plan = planProof(after, before, kept ? SENTINEL : undefined, NOW);
        const ready = new Set<string>();
        for (const check of plan.checks) {
          const version = check.subject === 'new' ? after : before;
          expect(version.enabled).toBe(true);
          expect(version.keyOps).toContain(check.operation);
          if (check.expect === 'material')
            expect(version.expiresOn && version.expiresOn > NOW.toISOString()).toBe(true);
          if (check.input.from === 'check') expect(ready).toContain(check.input.id);
          ready.add(check.id);
        }
        const subjects = new Set([...plan.checks, ...plan.unprovable].map(({ subject }) => subject));
        expect([...subjects].sort()).toEqual(['new', 'old']);
      }),
    );
  });
});

describe('planSentinel', () => {
  it('keeps what opens data for longest', () => {
    expect(planSentinel(aKey(), NOW)).toEqual({ kind: 'keep', operation: 'wrapKey', algorithm: 'RSA-OAEP-256' });
  });

  it('keeps a signature where nothing else can be made', () => {
    expect(planSentinel(aKey(ec('P-521')), NOW)).toMatchObject({
      operation: 'sign',
      algorithm: 'ES512',
      digest: 'SHA-512',
    });
  });

  it('skips a version that makes nothing any more', () => {
    expect(planSentinel(expired(), NOW)).toMatchObject({ kind: 'skip', reason: 'ExpiredWithoutSentinel' });
  });
});

describe('judgeProof', () => {
  const plan = planProof(fresh({ keyOps: WRAP }), expired({ keyOps: WRAP }), SENTINEL, NOW);
  const allOk = plan.checks.map(({ id }): ProofResult => ({ id, ok: true }));
  const halfPlan = planProof(fresh({ keyOps: WRAP }), expired({ keyOps: WRAP }), undefined, NOW);

  it('finds proven what passed whole, and says how', () => {
    const verdict = judgeProof(plan, allOk, 'required');
    expect(verdict).toMatchObject({
      kind: 'proven',
      explanation:
        'The new version passed wrapKey RSA-OAEP-256, unwrapKey RSA-OAEP-256. The old version passed unwrapKey RSA-OAEP-256.',
    });
    expect(verdict.checks.map(({ result }) => result)).toEqual(['ok', 'ok', 'ok']);
  });

  it('finds failed what failed once, under either rule', () => {
    const results = allOk.with(2, { id: 'old.unwrapKey', ok: false, detail: 'another plaintext came out' });
    for (const proof of ['required', 'whenPossible'] as const) {
      expect(judgeProof(plan, results, proof)).toMatchObject({
        kind: 'failed',
        why: 'unwrapKey (RSA-OAEP-256) with the old version failed: another plaintext came out.',
      });
    }
  });

  it('finds failed what nobody carried out', () => {
    expect(judgeProof(plan, allOk.slice(0, 2), 'whenPossible')).toMatchObject({ kind: 'failed' });
  });

  it.each([
    ['required', 'failed'],
    ['whenPossible', 'unproven'],
  ] as const)('calls what could not be tried, where proof is %s, %s', (proof, kind) => {
    const results = halfPlan.checks.map(({ id }) => ({ id, ok: true }));
    const verdict = judgeProof(halfPlan, results, proof);
    expect(verdict.kind).toBe(kind);
    expect(verdict.checks.at(-1)).toMatchObject({ version: 'old', result: 'unprovable' });
  });

  it('never finds proven a plan of nothing', () => {
    expect(judgeProof({ checks: [], unprovable: [] }, [], 'whenPossible').kind).toBe('unproven');
  });
});

function ec(curve: string): Partial<KeyFacts> {
  return { keyType: 'EC-HSM', curve, keyOps: ['sign', 'verify'] };
}
