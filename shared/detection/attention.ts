import type { DetectionFacts } from './detection-facts.ts';
import type { Finding } from './finding.ts';

/** Whose findings are looked at more closely than others, and why. */
export type Attention =
  | { kind: 'usual' }
  /** An emergency account of the policy: somebody should know of every use. */
  | { kind: 'emergencyAccount' };

export function attentionTo(
  { breakGlass = [] }: Pick<DetectionFacts, 'breakGlass'>,
  { caller }: Pick<Finding, 'caller'>,
): Attention {
  const oid = caller?.oid.toLowerCase() ?? '';
  return breakGlass.some((each) => each.toLowerCase() === oid) ? { kind: 'emergencyAccount' } : { kind: 'usual' };
}
