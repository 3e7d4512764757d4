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
  /** Successful calls by action (`read.key`, `crypto.protect wrapkey`), decayed by a twentieth a day. */
  actions: Record<string, Habit>;
  networks: Record<string, Sighting>;
  agents: Record<string, Sighting>;
  /** Whether a success ever came from a public address without a trusted service. */
  public: boolean;
  /** Refusals in bins of ten minutes: decayed sum and sum of squares, and the day to which they are decayed. */
  refusals: { sum: number; squares: number; day: number };
  /** The bin of ten minutes that is not over. */
  refusing?: RefusalBin;
  /** The bin before it: a search does not begin with the clock. */
  refused?: Pick<RefusalBin, 'bin' | 'keys'>;
  /** The hour that is not over: keys read, and when keys were listed last. */
  reading: { hour: number; keys: string[]; listed?: string };
  /** Distinct keys of each of the last days with any, newest last. */
  keysADay: number[];
  today: { day: number; keys: string[]; actions: Record<string, number> };
}

export interface RefusalBin {
  bin: number;
  count: number;
  keys: string[];
  actions: string[];
}

export interface Habit {
  weight: number;
  firstDay: number;
  day: number;
}

/** First and last day. */
export interface Sighting {
  first: number;
  last: number;
}

export interface PairMemory {
  /** Day of the first call. */
  first: number;
  /** Day of the newest. */
  last: number;
  classes: CallClass[];
}

export interface KeyMemory {
  first: string;
  /** Last successful crypto call. */
  lastUse?: string;
  created?: { at: string; by: string };
}

export interface SeriesMemory {
  /** Hour of `counts[0]`. */
  start: number;
  /** Up to 28 days without holes; each bin capped at its z = 6 value when it was learnt. */
  counts: number[];
  /** Usual count by slot (24 hours of working days, then 24 of other days), and the day on which it was set; −1: not yet. */
  centres: number[];
  moved: number[];
  drift: number;
  /** z of the newest hour. */
  z: number;
  /** Hours far above the usual, as they were: a job that runs now and then is known by them. */
  bursts?: { hour: number; count: number }[];
  /** What came so far of hours that are not closed. */
  open?: { hour: number; count: number }[];
  /** Of busy series. */
  level?: LevelMemory;
  /** The calendar day so far, and what is usual by then. */
  today?: { day: number; count: number; usual: number };
  /** What is left of an allowance, and the hour in which it began. */
  allowance?: { hour: number; left: number };
}

/** How busy the last three days were, hour by hour, and how the days of the last weeks scattered (`level-shift.ts`). */
export interface LevelMemory {
  hours: { hour: number; day: number; value: number }[];
  days: { mean: number; variance: number; halves: number; hours: number }[];
  /** Whether the newest hour stood above the limit: a step is told once. */
  above: boolean;
}

export interface LogMemory {
  /** Instants of the newest row and the newest row of our canary, by event time. */
  lastRow?: string;
  lastCanary?: string;
  /** Slow mean of the 99th percentile of the delay, seconds. */
  lag: number;
  /** Rows per call that the metric counted, of the last quarters that had enough, newest last. */
  ratios: number[];
  /** Longest pause between rows of each of the last days, minutes, newest last. */
  pauses: { day: number; minutes: number }[];
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
  actions: 64,
  consumed: 2000,
  told: 2000,
  recent: 1000,
  days: 28,
  keysToday: 200,
  ratios: 96,
  bursts: 16,
} as const;

export const emptyMemory = (): DetectionMemory => ({
  version: 1,
  callers: {},
  keys: {},
  pairs: {},
  series: {},
  log: { lag: 300, ratios: [], pauses: [] },
  consumed: {},
  told: {},
  recent: [],
});
