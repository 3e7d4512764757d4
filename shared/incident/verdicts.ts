import { DAY_MS } from '../time.ts';
import type { Incident } from './incident.ts';

/** What people said of the incidents that a detector had a part in. */
export interface DetectorVerdicts {
  detector: string;
  /** `confirmed` or `likely`. */
  confirmed: number;
  /** `benign`. */
  dismissed: number;
  /** No verdict yet, or too little evidence for one. */
  undecided: number;
  /** Share of the decided that was confirmed; null: nothing was decided. */
  precision: number | null;
}

export const VERDICT_DAYS = 30;

/**
 * By detector, over incidents of the last 30 days. Read from the incidents themselves, so that a verdict that is given twice,
 * or changed, counts once; of the findings of one detector in one incident, one counts.
 */
export function verdictsByDetector(incidents: readonly Incident[], now: Date): DetectorVerdicts[] {
  const since = new Date(now.getTime() - VERDICT_DAYS * DAY_MS).toISOString();
  const found = new Map<string, Omit<DetectorVerdicts, 'detector' | 'precision'>>();
  for (const { findings, lastFindingAt, verdict } of incidents) {
    if (lastFindingAt < since) continue;
    for (const detector of new Set(findings.map((finding) => finding.detector))) {
      const counts = found.get(detector) ?? { confirmed: 0, dismissed: 0, undecided: 0 };
      counts[sideOf(verdict?.verdict)] += 1;
      found.set(detector, counts);
    }
  }
  return [...found]
    .map(([detector, counts]) => {
      const decided = counts.confirmed + counts.dismissed;
      return { detector, ...counts, precision: decided === 0 ? null : counts.confirmed / decided };
    })
    .sort((a, b) => (a.detector < b.detector ? -1 : 1));
}

function sideOf(verdict: NonNullable<Incident['verdict']>['verdict'] | undefined) {
  if (verdict === 'confirmed' || verdict === 'likely') return 'confirmed';
  return verdict === 'benign' ? 'dismissed' : 'undecided';
}
