import type { Severity } from '../detection/finding.ts';
import { compareSeverity } from '../detection/score.ts';

export { combineScores, severityOf } from '../detection/score.ts';

export const isAtLeast = (severity: Severity, least: Severity): boolean => compareSeverity(severity, least) >= 0;

export const worse = (a: Severity, b: Severity): Severity => (isAtLeast(a, b) ? a : b);
