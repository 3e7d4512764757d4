import type { JudgedCall } from './judged-calls.ts';
import type { RecentFinding } from './memory.ts';
import type { Scene } from './scene.ts';

/** Earlier findings of a detector that ended within the span before the calls began. */
export function recentOf(
  { memory, nowMs }: Scene,
  detector: string,
  spanMs: number,
  calls: readonly JudgedCall[] = [],
): RecentFinding[] {
  const from = calls.reduce((least, { firstMs }) => Math.min(least, firstMs), nowMs) - spanMs;
  return memory.recent.filter((finding) => finding.detector === detector && Date.parse(finding.until) >= from);
}

/** Object id, else client id, of the caller of a finding. */
export const callerOf = ({ caller }: Pick<RecentFinding, 'caller'>): string | undefined =>
  caller?.oid || caller?.app || undefined;
