import { describe, expect, test } from 'vitest';
import type { IncidentVerdict } from '../../../shared/incident/incident.ts';
import { verdictsByDetector } from '../../../shared/incident/verdicts.ts';
import { aFinding, anIncident } from './builders.ts';

const NOW = new Date('2030-01-10T00:00:00.000Z');
const judged = (verdict: IncidentVerdict | undefined, ...detectors: string[]) =>
  anIncident({
    findings: detectors.map((detector) => aFinding({ detector })),
    ...(verdict && { verdict: { verdict, by: 'a', at: '2030-01-02T00:00:00.000Z', note: '' } }),
  });

describe('what people said of what a detector found', () => {
  test.each<[IncidentVerdict | undefined, object]>([
    ['confirmed', { confirmed: 1, dismissed: 0, undecided: 0, precision: 1 }],
    ['likely', { confirmed: 1, dismissed: 0, undecided: 0, precision: 1 }],
    ['benign', { confirmed: 0, dismissed: 1, undecided: 0, precision: 0 }],
    ['insufficientEvidence', { confirmed: 0, dismissed: 0, undecided: 1, precision: null }],
    [undefined, { confirmed: 0, dismissed: 0, undecided: 1, precision: null }],
  ])('a verdict %s counts for each detector of the incident once', (verdict, counts) => {
    expect(verdictsByDetector([judged(verdict, 'denied-burst', 'denied-burst', 'dormant-key-use')], NOW)).toEqual([
      { detector: 'denied-burst', ...counts },
      { detector: 'dormant-key-use', ...counts },
    ]);
  });

  test('is a share of the decided alone', () => {
    const all = [judged('confirmed', 'x'), judged('benign', 'x'), judged('benign', 'x'), judged(undefined, 'x')];
    expect(verdictsByDetector(all, NOW)).toEqual([
      { detector: 'x', confirmed: 1, dismissed: 2, undecided: 1, precision: 1 / 3 },
    ]);
  });

  test('is forgotten a month after the last finding', () => {
    expect(verdictsByDetector([judged('benign', 'x')], new Date('2030-02-10T00:00:00.000Z'))).toEqual([]);
  });
});
