import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { combineScores } from '../../../shared/detection/score.ts';
import { keysByWeight, subjectOf } from '../../../shared/incident/incident.ts';
import { joinFinding, openIncident } from '../../../shared/incident/join.ts';
import { aFinding, anIncident, MALLORY } from './builders.ts';

const HOUR = 3_600_000;
const at = (hours: number) => new Date(Date.parse('2030-01-01T00:00:00.000Z') + hours * HOUR);
const iso = (hours: number) => at(hours).toISOString();

describe('where a finding belongs', () => {
  test.each([
    ['an hour after the last', 1, 'extend'],
    ['a day after the last, to the second', 24, 'extend'],
    ['more than a day after the last', 24.01, 'open'],
  ])('%s: %s h is %s', (_, hours, kind) => {
    expect(joinFinding(anIncident(), aFinding({ foundAt: iso(hours) }), at(hours)).kind).toBe(kind);
  });

  test('slides on with each finding, and ends a week after it was opened', () => {
    let incident = anIncident();
    let hours = 0;
    for (;;) {
      hours += 20;
      const joining = joinFinding(incident, aFinding({ foundAt: iso(hours) }), at(hours));
      if (joining.kind !== 'extend') {
        expect(joining.kind).toBe('open');
        break;
      }
      incident = joining.incident;
    }
    expect(hours).toBe(180);
  });

  test.each([
    ['within a week', 24 * 6, 'reopen'],
    ['later', 24 * 8, 'open'],
  ])('a closed incident %s: %s h after is %s', (_, hours, kind) => {
    const closed = { at: iso(0), by: 'ana', note: '', report: '' };
    const incident = anIncident({
      status: 'closed',
      closed,
      verdict: { verdict: 'benign', by: 'a', at: iso(0), note: '' },
      closeAsked: { by: 'ana', name: 'Ana', at: iso(0), note: '' },
      verification: { at: iso(0), result: 'refused', explanation: '' },
      tired: ['evidence'],
    });
    const joining = joinFinding(incident, aFinding({ foundAt: iso(hours) }), at(hours));
    expect(joining.kind).toBe(kind);
    if (joining.kind === 'reopen') {
      expect(joining.incident).toMatchObject({ status: 'open', round: 2, roundAt: iso(hours) });
      for (const decided of ['verdict', 'closed', 'closeAsked', 'verification', 'tired'])
        expect(joining.incident).not.toHaveProperty(decided);
    }
  });

  test.each([
    ['Informational', 'containByPolicy'],
    ['High', 'record'],
  ] as const)('a finding that is %s and asks to %s opens nothing', (severity, response) => {
    expect(joinFinding(undefined, aFinding({ severity, response }), at(0)).kind).toBe('none');
  });

  test('a repeat of what was told joins what is open, and opens nothing of its own', () => {
    const repeat = aFinding({ suppressed: { by: 'x', until: iso(24) } });
    expect(joinFinding(undefined, repeat, at(0)).kind).toBe('none');
    expect(joinFinding(anIncident(), repeat, at(0)).kind).toBe('extend');
  });

  test('the same finding twice is known, and with a higher score it replaces itself', () => {
    const finding = aFinding({ score: 40, severity: 'Medium' });
    const incident = openIncident('i', 'detection', finding);
    expect(joinFinding(incident, finding, at(0)).kind).toBe('known');
    const grown = joinFinding(incident, { ...finding, score: 80, severity: 'Critical' }, at(0));
    expect(grown).toMatchObject({ kind: 'extend', raised: true, incident: { findingsInAll: 1, severity: 'Critical' } });
  });
});

describe('what an incident becomes', () => {
  test('two detectors together raise it past either', () => {
    const incident = anIncident({}, { score: 60, severity: 'High' });
    const joining = joinFinding(incident, aFinding({ detector: 'role-assignment', score: 60 }), at(1));
    expect(joining).toMatchObject({ raised: true, incident: { score: 84, severity: 'Critical' } });
  });

  test('takes the gravest class and the proposal that asks for most people', () => {
    const incident = anIncident({}, { class: 'misuse', response: 'containByTwo' });
    const joining = joinFinding(incident, aFinding({ class: 'keyMaterial', response: 'notify' }), at(1));
    expect(joining).toMatchObject({ incident: { class: 'keyMaterial', response: 'containByTwo' } });
  });

  test('never falls in severity or score, and keeps every line in bounds, whatever joins', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ score: fc.integer({ min: 0, max: 100 }), detector: fc.constantFrom('a', 'b', 'c') }), {
          maxLength: 30,
        }),
        (all) => {
          let incident = anIncident();
          for (const [index, each] of all.entries()) {
            const joining = joinFinding(incident, aFinding({ ...each, foundAt: iso(index / 10) }), at(index / 10));
            if (joining.kind !== 'extend') continue;
            expect(joining.incident.score).toBeGreaterThanOrEqual(incident.score);
            incident = joining.incident;
          }
          expect(incident.score).toBeLessThanOrEqual(100);
        },
      ),
    );
  });

  test('of its keys, remembers which somebody used; what an older incident held counts as used', () => {
    const joined = (incident: ReturnType<typeof anIncident>) => {
      const named = aFinding({ keys: ['named'], keysUsed: [] });
      const next = joinFinding(incident, named, new Date(named.foundAt));
      return next.kind === 'extend' ? [next.incident.keys, next.incident.keysUsed] : next.kind;
    };
    expect(joined(anIncident({}, { keysUsed: ['orders'] }))).toEqual([['named', 'orders'], ['orders']]);
    const { keysUsed: _, ...older } = anIncident();
    expect(joined(older)).toEqual([['named', 'orders'], ['orders']]);
  });

  test('whoever names a hundred keys hides none that was used', () => {
    const named = Array.from({ length: 60 }, (_, index) => `a${index}`);
    const first = anIncident({}, { keys: ['payments'], keysUsed: ['payments'] });
    const flood = aFinding({ keys: named.slice(0, 50), keysInAll: 60, keysUsed: [] });
    const joining = joinFinding(first, flood, new Date(flood.foundAt));
    const { keys = [], keysUsed } = joining.kind === 'extend' ? joining.incident : {};
    expect([keys.length, keysUsed]).toEqual([50, ['payments']]);
    expect(keys).toContain('payments');
    expect(keysByWeight({ keys, keysUsed: ['payments'] })[0]).toBe('payments');
  });

  test('repeats of one detector say nothing new', () => {
    const one = { detector: 'denials', score: 45, severity: 'Medium' } as const;
    expect(combineScores(Array.from({ length: 10 }, () => one))).toBe(45);
  });
});

test.each([
  ['the caller, where rows name one', aFinding(), { kind: 'caller', caller: MALLORY }],
  ['the key, where the caller is not known', aFinding({ caller: { oid: '' } }), { kind: 'key', key: 'orders' }],
  ['the HSM otherwise', aFinding({ caller: { oid: '' }, keys: ['a', 'b'] }), { kind: 'hsm' }],
])('the subject is %s', (_, finding, subject) => {
  expect(subjectOf(finding)).toEqual(subject);
});
