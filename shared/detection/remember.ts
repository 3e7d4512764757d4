import type { Draft } from './detector.ts';
import type { Finding } from './finding.ts';
import { learnCallers } from './learn-callers.ts';
import { learnLog } from './learn-log.ts';
import { type ConsumedIntent, type DetectionMemory, MEMORY_LIMITS, type RecentFinding, type Told } from './memory.ts';
import { overlaid } from './overlaid.ts';
import type { Scene } from './scene.ts';

export interface Report {
  draft: Draft;
  finding: Finding;
}

const DAY_MS = 86_400_000;
/** Rules over several findings look back so far. */
const RECENT_DAYS = 30;

/** The memory after a window: what was learnt, what was told, and nothing that has become too old. */
export function remember(
  scene: Scene,
  reports: readonly Report[],
  news: Pick<DetectionMemory, 'consumed' | 'series' | 'told'>,
): DetectionMemory {
  const { memory, facts, nowMs } = scene;
  return {
    version: 1,
    since: earliest(memory.since, facts.now),
    upTo: facts.now,
    ...learnCallers(scene),
    series: news.series,
    log: learnLog(scene),
    consumed: alive(
      overlaid(memory.consumed, new Map(Object.entries(news.consumed))),
      MEMORY_LIMITS.consumed,
      ({ to }: ConsumedIntent) => Date.parse(to) + DAY_MS,
      nowMs,
    ),
    told: alive(
      overlaid(memory.told, new Map(Object.entries(news.told))),
      MEMORY_LIMITS.told,
      ({ until }: Told) => Date.parse(until),
      nowMs,
    ),
    recent: recentAfter(scene, reports),
  };
}

const earliest = (known: string | undefined, now: string): string => (known !== undefined && known < now ? known : now);

function recentAfter({ memory, nowMs }: Scene, reports: readonly Report[]): RecentFinding[] {
  const again = new Set(reports.map(({ finding }) => finding.id));
  const young = memory.recent.filter(
    ({ id, until }) => !again.has(id) && nowMs - Date.parse(until) < RECENT_DAYS * DAY_MS,
  );
  return [...young, ...reports.map(toRecent)].slice(-MEMORY_LIMITS.recent);
}

/** Entries whose time has not come, those that last longest if there are too many. */
function alive<T>(
  entries: Record<string, T>,
  limit: number,
  endOf: (entry: T) => number,
  nowMs: number,
): Record<string, T> {
  const all = Object.entries(entries);
  const left = all.filter(([, entry]) => endOf(entry) > nowMs);
  if (left.length <= limit) return left.length === all.length ? entries : Object.fromEntries(left);
  left.sort(([a, x], [b, y]) => endOf(y) - endOf(x) || (a < b ? -1 : 1));
  return Object.fromEntries(left.slice(0, limit));
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
  assignments: finding.assignments.slice(0, 20),
  marks: draft.marks ?? [],
});
