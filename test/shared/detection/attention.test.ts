import { describe, expect, test } from 'vitest';
import { attentionTo, lookCloser } from '../../../shared/detection/attention.ts';
import type { DetectionFacts } from '../../../shared/detection/detection-facts.ts';
import type { Finding, Severity } from '../../../shared/detection/finding.ts';
import { aFinding } from '../incident/builders.ts';
import { ALICE, aCall, aRule, detect, grownMemory, NOW, STORAGE, someFacts } from './builders.ts';

const INCIDENT = 'incident-contoso-0123456789abcdef';
const LATER = '2026-03-15T10:05:00.000Z';
const watch = (over: Partial<NonNullable<DetectionFacts['watches']>[number]> = {}) => ({
  incident: INCIDENT,
  until: LATER,
  keys: [],
  ...over,
});
const watched = { kind: 'watched', incident: INCIDENT, until: LATER } as const;

describe('attention', () => {
  test.each<[string, Partial<DetectionFacts>, Partial<Finding>, object]>([
    ['is as usual where nobody asked for more', {}, {}, { kind: 'usual' }],
    [
      'goes to the caller of an incident, whatever the case of the id',
      { watches: [watch({ caller: ALICE.toUpperCase() })] },
      {},
      { ...watched, what: 'caller' },
    ],
    [
      'goes to the keys of an incident, whoever uses them',
      { watches: [watch({ keys: ['Orders'] })] },
      { caller: { oid: STORAGE } },
      { ...watched, what: 'key' },
    ],
    ['passes by other callers and keys', { watches: [watch({ caller: STORAGE, keys: ['x'] })] }, {}, { kind: 'usual' }],
    [
      'passes by what began before the incident: it led to the watch, and would raise itself',
      { watches: [watch({ caller: ALICE, since: '2026-03-12T09:00:00.000Z' })] },
      { from: '2026-03-12T08:59:59.000Z' },
      { kind: 'usual' },
    ],
    [
      'goes to what began since',
      { watches: [watch({ caller: ALICE, since: '2026-03-12T09:00:00.000Z' })] },
      { from: '2026-03-12T09:00:00.000Z' },
      { ...watched, what: 'caller' },
    ],
    ['ends with the watch', { watches: [watch({ caller: ALICE, until: NOW })] }, {}, { kind: 'usual' }],
    [
      'takes no missing caller for a watched one',
      { watches: [watch({ caller: '' })] },
      { caller: { oid: '' } },
      { kind: 'usual' },
    ],
    ['goes to an emergency account', { breakGlass: [ALICE.toUpperCase()] }, {}, { kind: 'emergencyAccount' }],
    [
      'asks the most of an emergency account that is watched',
      { breakGlass: [ALICE], watches: [watch({ caller: ALICE })] },
      {},
      { ...watched, what: 'caller' },
    ],
  ])('%s', (_title, facts, finding, expected) => {
    const of = aFinding({ caller: { oid: ALICE }, keys: ['orders'], ...finding });
    expect(attentionTo(someFacts(facts), of)).toEqual(expected);
  });
});

describe('looking closer', () => {
  const closer = (finding: Partial<Finding>, explained = false, kind: 'watched' | 'emergencyAccount' = 'watched') =>
    lookCloser(aFinding(finding), kind === 'watched' ? { ...watched, what: 'caller' } : { kind }, explained);

  test.each<[Severity, number, Severity, number]>([
    ['Low', 15, 'Medium', 22],
    ['Medium', 40, 'High', 48],
    ['High', 60, 'Critical', 74],
    ['Critical', 90, 'Critical', 90],
  ])('a finding of %s %i is told as %s %i', (severity, score, told, raised) => {
    expect(closer({ severity, score, response: 'notify' })).toMatchObject({
      ...{ severity: told, score: raised, watchedFor: INCIDENT },
      // Only what the detector proposes is ever done.
      response: 'notify',
      explanation: expect.stringContaining(`${INCIDENT} has this caller watched until ${LATER}`),
    });
  });

  test.each(['watched', 'emergencyAccount'] as const)('tells what was kept back while learning: %s', (kind) => {
    const finding = closer({ severity: 'Informational', response: 'record', learning: true, score: 30 }, false, kind);
    expect(finding).toMatchObject({ severity: 'Medium', response: 'notify', score: 30 });
  });

  test('leaves what the journal explains, such as the rotation that answered the incident', () => {
    const explained = { severity: 'Informational', response: 'record', score: 21 } as const;
    expect(closer(explained, true)).toMatchObject(explained);
    expect(closer(explained, true).watchedFor).toBeUndefined();
  });

  test('leaves the weight of an emergency account as it is', () => {
    expect(closer({ severity: 'Low', score: 15 }, false, 'emergencyAccount')).toMatchObject({
      severity: 'Low',
      score: 15,
    });
  });
});

describe('a watched key in the log', () => {
  const moved = (hour: string) => {
    const { version: _version, verb: _verb, ...rest } = aCall();
    const at = `2026-03-12T${hour}:01:00.000Z`;
    return {
      ...rest,
      class: 'key.backup' as const,
      path: '/keys/pay-01/backup',
      caller: { oid: ALICE },
      first: at,
      last: at,
    };
  };
  const play = (watches: NonNullable<DetectionFacts['watches']>) => {
    let memory = grownMemory();
    return ['01', '05'].map((hour) => {
      const now = `2026-03-12T${hour}:05:00.000Z`;
      const judged = detect(someFacts({ now, calls: [moved(hour)], watches }), memory, aRule());
      memory = judged.memory;
      const finding = judged.findings.find(({ detector }) => detector === 'key-material-movement');
      return { severity: finding?.severity, repeat: finding?.suppressed !== undefined };
    });
  };

  test('weighs a band more and is told each time, until the watch ends', () => {
    expect(play([])).toEqual([
      { severity: 'Medium', repeat: false },
      { severity: 'Medium', repeat: true },
    ]);
    expect(play([watch({ keys: ['pay-01'] })])).toEqual([
      { severity: 'High', repeat: false },
      { severity: 'High', repeat: false },
    ]);
    expect(play([watch({ keys: ['pay-01'], until: '2026-03-12T03:00:00.000Z' })])).toEqual([
      { severity: 'High', repeat: false },
      { severity: 'Medium', repeat: true },
    ]);
  });
});
