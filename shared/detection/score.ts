import type { Finding, Severity } from './finding.ts';

/** Up to 21 Low, 22 to 47 Medium, 48 to 73 High, from 74 Critical: the bands of Elastic's risk score. */
export function severityOf(score: number): Exclude<Severity, 'Informational'> {
  if (score <= 21) return 'Low';
  if (score <= 47) return 'Medium';
  return score <= 73 ? 'High' : 'Critical';
}

const ORDER: readonly Severity[] = ['Informational', 'Low', 'Medium', 'High', 'Critical'];

/** Negative, zero or positive, the mildest first. */
export const compareSeverity = (a: Severity, b: Severity): number => ORDER.indexOf(a) - ORDER.indexOf(b);

export const isAtLeast = (severity: Severity, least: Severity): boolean => compareSeverity(severity, least) >= 0;

export const worse = (a: Severity, b: Severity): Severity => (isAtLeast(a, b) ? a : b);

export const clampScore = (score: number): number => Math.max(0, Math.min(100, Math.round(score)));

/**
 * Evidence adds up: 100·(1 − Π(1 − s/100)) over detectors, each with its strongest finding only, because ten repeats of one
 * observation are no ten observations. Informational ones, which our journal explains, add nothing.
 */
export function combineScores(findings: readonly Pick<Finding, 'detector' | 'score' | 'severity'>[]): number {
  const strongest = new Map<string, number>();
  for (const { detector, score, severity } of findings) {
    if (severity === 'Informational') continue;
    strongest.set(detector, Math.max(strongest.get(detector) ?? 0, clampScore(score)));
  }
  const calm = [...strongest.values()].sort((a, b) => a - b).reduce((left, score) => left * (1 - score / 100), 1);
  return clampScore(100 * (1 - calm));
}
