import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CALL_CLASSES, type CallGroup } from '../../../shared/detection/audit-call.ts';
import { emptyMemory, MEMORY_LIMITS } from '../../../shared/detection/memory.ts';
import { foremost } from '../../../shared/detection/to-finding.ts';
import { aCall, aRule, detect, grownMemory, NOW, someFacts } from './builders.ts';

const NASTY = [
  '__proto__',
  'constructor',
  '<img src=x onerror=alert(1)>',
  "'; .drop table AuditEvent --",
  '{"broken": ',
  '\u0000\ud800',
  'x'.repeat(100_000),
  '',
];

describe('hostile rows', () => {
  test('neither crash a detector nor grow a finding or the memory', () => {
    const nasty = fc.constantFrom(...NASTY);
    const call = fc.record({
      class: fc.constantFrom(...CALL_CLASSES),
      outcome: fc.constantFrom('ok', 'denied', 'missing', 'challenged', 'failed'),
      operation: nasty,
      path: nasty,
      key: nasty,
      version: nasty,
      address: nasty,
      userAgent: nasty,
      trustedService: nasty,
      caller: fc.record({ oid: nasty, app: nasty, upn: nasty }),
      count: fc.constantFrom(1, 0, -5, Number.NaN, 1e12),
      first: fc.constantFrom(NOW, 'yesterday', ''),
      last: fc.constantFrom(NOW, 'tomorrow', '1970-01-01T00:00:00Z'),
      correlationIds: fc.array(nasty, { maxLength: 30 }),
    });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 30 }), (calls) => {
        const facts = someFacts({ calls: calls.map((over) => aCall(over as Partial<CallGroup>)) });
        const { findings, memory } = detect(facts, grownMemory(), aRule());
        for (const finding of findings) {
          expect(JSON.stringify(finding).length).toBeLessThan(40_000);
          expect(finding.title.length).toBeLessThanOrEqual(200);
        }
        expect(JSON.parse(JSON.stringify(memory))).toEqual(memory);
        expect(JSON.stringify(memory).length).toBeLessThan(400_000);
      }),
      { numRuns: 60 },
    );
  });

  test('who names keys and is let do nothing with them has used none, whatever is found of it', () => {
    const sweep = (outcome: 'ok' | 'denied', of: CallGroup['class']) =>
      Array.from({ length: 12 }, (_, index) =>
        aCall({ class: of, key: `key-${index}`, path: `/keys/key-${index}`, caller: { oid: 'stranger' }, outcome }),
      );
    const used = (calls: CallGroup[]) =>
      detect(someFacts({ calls }), grownMemory(), aRule()).findings.map(({ keys, keysUsed }) => [
        keys.length > 0,
        keysUsed?.length,
      ]);
    for (const calls of [sweep('denied', 'crypto.unprotect'), sweep('ok', 'read.key')]) {
      expect(used(calls).length).toBeGreaterThan(0);
      expect(used(calls).every(([named, count]) => named && count === 0)).toBe(true);
    }
    expect(used(sweep('ok', 'crypto.unprotect')).every(([, count]) => count === 12)).toBe(true);
  });

  test('of more keys than a finding holds, those that were used stay, in order', () => {
    const named = Array.from({ length: 80 }, (_, index) => `a${index}`);
    const kept = foremost([...named, 'payments'].sort(), ['payments'], 50);
    expect(kept).toHaveLength(50);
    expect(kept).toContain('payments');
    expect(kept).toEqual(kept.toSorted());
  });

  test('a flood of callers and keys gives a bounded number of findings and memory', () => {
    const calls = Array.from({ length: 3000 }, (_, index) =>
      aCall({
        class: index % 3 === 0 ? 'key.backup' : 'crypto.unprotect',
        key: `key-${index}`,
        caller: { oid: `caller-${index % 1500}` },
        address: `203.0.${index % 250}.7`,
        outcome: index % 5 === 0 ? 'denied' : 'ok',
        status: index % 5 === 0 ? 403 : 200,
      }),
    );
    let memory = emptyMemory();
    for (const now of ['2026-03-12T10:05:00.000Z', '2026-03-12T10:10:00.000Z']) {
      const judged = detect(someFacts({ now, calls }), memory, aRule());
      memory = judged.memory;
      expect(judged.findings.length).toBeLessThanOrEqual(120);
    }
    expect(Object.keys(memory.callers).length).toBeLessThanOrEqual(MEMORY_LIMITS.callers);
    expect(Object.keys(memory.pairs).length).toBeLessThanOrEqual(MEMORY_LIMITS.pairs);
    expect(memory.recent.length).toBeLessThanOrEqual(MEMORY_LIMITS.recent);
  });

  test('who is only refused crowds out nobody who has access', () => {
    const known = aCall({ caller: { oid: 'owner' } });
    const learnt = detect(someFacts({ calls: [known] }), grownMemory(), aRule()).memory;
    const flood = Array.from({ length: 2000 }, (_, index) =>
      aCall({ caller: { oid: `thief-${index}` }, outcome: 'denied', status: 403 }),
    );
    const { memory } = detect(someFacts({ calls: flood, now: '2026-03-12T10:10:00.000Z' }), learnt, aRule());
    expect(memory.callers).toHaveProperty('owner');
  });

  test('the order of the groups changes nothing', () => {
    const calls = Array.from({ length: 12 }, (_, index) =>
      aCall({
        class: (['key.backup', 'key.delete', 'rbac.assign.put', 'crypto.unprotect'] as const)[
          index % 4
        ] as CallGroup['class'],
        key: `key-${index % 5}`,
        caller: { oid: `caller-${index % 3}` },
        first: `2026-03-12T10:0${index % 4}:00.000Z`,
        last: `2026-03-12T10:0${index % 4}:30.000Z`,
      }),
    );
    const straight = detect(someFacts({ calls }), grownMemory(), aRule());
    fc.assert(
      fc.property(fc.shuffledSubarray(calls, { minLength: calls.length }), (shuffled) => {
        expect(detect(someFacts({ calls: shuffled }), grownMemory(), aRule())).toEqual(straight);
      }),
      { numRuns: 20 },
    );
  });
});
