import type { CallClass, Caller } from './audit-call.ts';
import type { CompromiseClass, Finding, Severity } from './finding.ts';

/**
 * What detection keeps of one HSM from window to window: one JSON document, bounded whatever the traffic (`MEMORY_LIMITS`).
 * Instants are ISO texts, days are days since 1970-01-01, hours are hours since then, all UTC.
 */
export interface DetectionMemory {
  version: 1;
  /** `now` of the first window. Absent: nothing was ever seen. */
  since?: string;
  /** `now` of the newest window. */
  upTo?: string;
  callers: Record<string, CallerMemory>;
  keys: Record<string, KeyMemory>;
  /** Successful use by `{key} {caller}`. */
  pairs: Record<string, PairMemory>;
  /** Hourly volumes by `{key} {caller} {class}`. */
  series: Record<string, SeriesMemory>;
  log: LogMemory;
  /** Calls that intents of the journal have absorbed, by intent. */
  consumed: Record<string, ConsumedIntent>;
  /** What was told, by what a repeat would share with it. */
  told: Record<string, Told>;
  /** Newest last. */
  recent: RecentFinding[];
}

export interface CallerMemory {
  first: string;
  last: string;
  app?: string;
  upn?: string;
  /** Successful calls by class, decayed by a twentieth a day, and the last day on which there was one. */
  classes: Partial<Record<CallClass, { weight: number; day: number; firstDay: number }>>;
  /** Classes that were refused, and the last day. */
  refused: Partial<Record<CallClass, number>>;
  networks: Record<string, Sighting>;
  agents: Record<string, Sighting>;
  /** Refusals in bins of ten minutes: decayed count of bins, their sum and sum of squares. */
  refusals: { bins: number; sum: number; squares: number; day: number };
  /** Distinct keys touched on each of the last days, newest last. */
  keysADay: number[];
  today: { day: number; keys: string[]; classes: Partial<Record<CallClass, number>> };
  /** Last hour with a list, and keys read since, for sweeps. */
  listed?: string;
}

/** First and last day. */
export interface Sighting {
  first: number;
  last: number;
}

export interface PairMemory {
  first: number;
  last: string;
  classes: CallClass[];
}

export interface KeyMemory {
  first: string;
  /** Last successful crypto call. */
  lastUse?: string;
  /** Last call of any kind. */
  lastCall: string;
  created?: { at: string; caller: string };
  /** Newest versions that creates and rotations told of, oldest first. */
  versions: { version: string; since: string }[];
}

export interface SeriesMemory {
  /** Hour of `counts[0]`. */
  start: number;
  /** Up to 28 days, hole-free; each bin capped at its z = 6 value when it was learnt. */
  counts: number[];
  /** Usual count by slot (24 hours of working days, then 24 of other days); at most a fifth away from the day before. */
  centres: number[];
  /** Day on which each slot was last moved. */
  moved: number[];
  drift: number;
  /** z of the hour before. */
  lastZ: number;
  /** Hour of the last allowance that was used up. */
  allowed?: number;
}

export interface LogMemory {
  /** Instants of the newest row and the newest row of our canary, by event time. */
  lastRow?: string;
  lastCanary?: string;
  /** Slow mean of the 99th percentile of the delay, seconds. */
  lag: number;
  /** Rows per call that the metric counted; median of the last ratios, newest last. */
  ratios: number[];
  /** Longest silences between quarters that had rows, minutes, newest last. */
  silences: number[];
}

export interface ConsumedIntent {
  /** After that the entry is dropped. */
  to: string;
  /** By class, and within it by call group, so that a window that is judged again consumes nothing twice. */
  calls: Partial<Record<CallClass, Record<string, number>>>;
}

export interface Told {
  id: string;
  until: string;
  severity: Severity;
  /** Of volumes: z when it was told. */
  z?: number;
  repeats: number;
}

/** What later findings need to know of an earlier one. */
export interface RecentFinding {
  id: string;
  detector: string;
  hsm: string;
  caller?: Caller;
  keys: string[];
  classes: CallClass[];
  from: string;
  until: string;
  score: number;
  severity: Severity;
  class: CompromiseClass;
  assignments: Finding['assignments'];
  /** Facts that rules over several findings ask for. */
  marks: string[];
}

export const MEMORY_LIMITS = {
  callers: 500,
  keys: 2000,
  pairs: 5000,
  series: 400,
  networks: 48,
  agents: 24,
  consumed: 2000,
  told: 2000,
  recent: 1000,
  days: 28,
  keysToday: 500,
} as const;

export const emptyMemory = (): DetectionMemory => ({
  version: 1,
  callers: {},
  keys: {},
  pairs: {},
  series: {},
  log: { lag: 300, ratios: [], silences: [] },
  consumed: {},
  told: {},
  recent: [],
});
