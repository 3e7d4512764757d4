import type { Severity } from '../detection/finding.ts';
import type { IncidentFinding } from './incident.ts';

const ORDER: readonly Severity[] = ['Informational', 'Low', 'Medium', 'High', 'Critical'];

export const isAtLeast = (severity: Severity, least: Severity): boolean =>
  ORDER.indexOf(severity) >= ORDER.indexOf(least);

export const worse = (a: Severity, b: Severity): Severity => (isAtLeast(a, b) ? a : b);

/** Bands of the score: Low to 21, Medium to 47, High to 73, Critical from 74. */
export const severityOf = (score: number): Severity =>
  score >= 74 ? 'Critical' : score >= 48 ? 'High' : score >= 22 ? 'Medium' : 'Low';

/**
 * 100·(1 − Π(1 − s/100)) over the strongest finding of each detector: one that speaks again says nothing new, so it cannot
 * talk an incident up by repeating itself.
 */
export function combineScores(findings: readonly Pick<IncidentFinding, 'detector' | 'score' | 'severity'>[]): number {
  const strongest = new Map<string, number>();
  for (const { detector, score, severity } of findings) {
    if (severity === 'Informational') continue;
    strongest.set(detector, Math.max(strongest.get(detector) ?? 0, Math.min(Math.max(score, 0), 100)));
  }
  const calm = [...strongest.values()].reduce((left, score) => left * (1 - score / 100), 1);
  return Math.round(100 * (1 - calm));
}
