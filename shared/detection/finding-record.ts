import type { CallClass } from './audit-call.ts';
import type { Finding, Severity } from './finding.ts';
import { compareSeverity } from './score.ts';

/** A finding as it is stored: with what was told of it. Stored, so fields are added, never renamed. */
export interface FindingRecord extends Finding {
  /** The band in which it was told; absent: not told. */
  told?: Severity;
  /** How many windows saw it. */
  windows: string[];
}

const MOST_KEYS = 50;
const MOST_IDS = 20;
const MOST_WINDOWS = 50;

/**
 * The stored finding with what one more window says of it. The same window again changes nothing, so a step that is repeated
 * after a crash counts nothing twice.
 */
export function mergeFinding(stored: FindingRecord | undefined, seen: Finding, window: string): FindingRecord {
  if (!stored) return { ...seen, windows: [window] };
  const stronger: Finding = seen.score >= stored.score ? seen : stored;
  const keys = [...new Set([...stored.keys, ...seen.keys])].sort();
  const repeat = stored.windows.includes(window);
  return {
    ...stronger,
    foundAt: stored.foundAt,
    from: earlier(stored.from, seen.from),
    until: later(stored.until, seen.until),
    severity: compareSeverity(seen.severity, stored.severity) > 0 ? seen.severity : stored.severity,
    keys: keys.slice(0, MOST_KEYS),
    keysInAll: Math.max(stored.keysInAll, seen.keysInAll, keys.length),
    classes: [...new Set<CallClass>([...stored.classes, ...seen.classes])],
    assignments: unique([...stored.assignments, ...seen.assignments], ({ scope, id }) => `${scope} ${id}`),
    facts: repeat ? stored.facts : { ...stored.facts, ...seen.facts },
    correlationIds: [...new Set([...stored.correlationIds, ...seen.correlationIds])].slice(0, MOST_IDS),
    intents: [...new Set([...stored.intents, ...seen.intents])].slice(0, MOST_KEYS),
    windows: repeat ? stored.windows : [...stored.windows, window].slice(-MOST_WINDOWS),
    ...(stored.told === undefined ? {} : { told: stored.told }),
  };
}

/** Told once, and again when it rises a band. What our journal explains, and a repeat of what was told, is only kept. */
export const isToBeTold = ({ severity, told, suppressed }: FindingRecord): boolean =>
  suppressed === undefined &&
  severity !== 'Informational' &&
  (told === undefined || compareSeverity(severity, told) > 0);

function unique<T>(values: T[], idOf: (value: T) => string): T[] {
  return [...new Map(values.map((value) => [idOf(value), value])).values()].slice(0, MOST_KEYS);
}

const later = (a: string, b: string): string => (a > b ? a : b);
const earlier = (a: string, b: string): string => (a < b ? a : b);
