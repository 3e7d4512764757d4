import type { Draft } from './detector.ts';
import type { Finding } from './finding.ts';
import { type DetectionMemory, MEMORY_LIMITS, type RecentFinding } from './memory.ts';
import type { Scene } from './scene.ts';

export interface Report {
  draft: Draft;
  finding: Finding;
}

/** The memory after a window. */
export function remember(
  scene: Scene,
  reports: readonly Report[],
  news: Pick<DetectionMemory, 'consumed' | 'told'>,
): DetectionMemory {
  const { memory, facts } = scene;
  return {
    ...memory,
    since: memory.since ?? facts.now,
    upTo: facts.now,
    consumed: { ...memory.consumed, ...news.consumed },
    told: { ...memory.told, ...news.told },
    recent: [...memory.recent, ...reports.map(toRecent)].slice(-MEMORY_LIMITS.recent),
  };
}

const toRecent = ({ finding, draft }: Report): RecentFinding => ({
  id: finding.id,
  detector: finding.detector,
  hsm: finding.hsm,
  ...(finding.caller === undefined ? {} : { caller: finding.caller }),
  keys: finding.keys,
  classes: finding.classes,
  from: finding.from,
  until: finding.until,
  score: finding.score,
  severity: finding.severity,
  class: finding.class,
  assignments: finding.assignments,
  marks: draft.marks ?? [],
});
