/** One number that the policy document may set: its default, its limits and what it says. */
export interface Parameter {
  value: number;
  least: number;
  most: number;
  says: string;
}

const p = (value: number, least: number, most: number, says: string): Parameter => ({ value, least, most, says });

/** Parameters of every detector. The list of detectors, too: a detector without parameters has an empty row. */
export const PARAMETERS = {
  'security-domain-access': {},
  'unplanned-backup': {},
  'unplanned-restore': {},
  'key-material-movement': {
    sweepKeys: p(3, 2, 100, 'distinct keys backed up in one hour that make a sweep'),
  },
  'role-assignment-change': {
    hiddenMinutes: p(10, 1, 1440, 'a grant removed within so many minutes was to be hidden'),
  },
  'guard-rail-change': {},
  destruction: {
    burstKeys: p(3, 2, 100, 'distinct keys deleted in one hour that make a burst'),
    usedDays: p(30, 1, 365, 'a key used within so many days is in use'),
  },
  'logging-gap': {
    gapMinutes: p(
      50,
      10,
      1440,
      'silence that is told, if not thrice the usual delay is longer; delays of 40 are common',
    ),
    longGapMinutes: p(120, 15, 2880, 'silence that weighs more; outages of Azure Monitor take an hour or two'),
    leastHits: p(20, 1, 10_000, 'calls that the metric must count in a quarter before rows are compared with it'),
    ratio: p(0.2, 0.01, 0.9, 'share of the usual rows per counted call below which rows are missing'),
  },
  'denied-burst': {
    least: p(10, 3, 1000, 'refusals in ten minutes that can be a burst'),
    coldLeast: p(20, 3, 1000, 'the same before a caller has history'),
    logTail: p(6, 3, 20, 'negative power of ten of the chance below which a count is a burst'),
    keys: p(5, 2, 100, 'distinct keys refused in ten minutes that make a sweep'),
  },
  'first-seen-caller': {
    surprise: p(0.9, 0.5, 1, 'chance of no new entity below which novelty is usual'),
    entities: p(60, 5, 1000, 'callers of one key above which novelty says nothing'),
  },
  'unfamiliar-network': {
    surprise: p(0.9, 0.5, 1, 'as for callers, over networks of one caller'),
  },
  'volume-out-of-season': {
    medium: p(6, 3, 20, 'robust z of one hour that is told'),
    sustained: p(4, 2, 20, 'robust z of two hours in a row that is told'),
    busySustained: p(5, 2, 20, 'the same of a busy series, whose hours of a day rise and fall together'),
    high: p(8, 4, 30, 'robust z that is High'),
    extreme: p(10, 5, 50, 'robust z after which evidence is kept at once'),
    excess: p(10, 1, 10_000, 'operations above the usual below which nothing is told'),
    driftWeight: p(0.1, 0.01, 0.5, 'weight of the newest hour in the drift'),
    drift: p(1.5, 0.5, 3, 'drift, in clipped z, that is told'),
    sharedDrift: p(2.3, 0.5, 3, 'the same where the hours of a day rise and fall together, so that one hour says less'),
    shift: p(3.8, 2, 20, 'standard deviations of a lasting step up of a busy series that are told'),
    shiftRatio: p(1.15, 1, 10, 'times the usual below which a lasting step is no finding'),
    sparse: p(3, 0, 50, 'usual operations an hour below which a Poisson tail replaces z'),
    logTail: p(6, 3, 20, 'negative power of ten of the chance that is told for sparse series'),
    ratio: p(2, 1, 10, 'times the usual below which a busy hour is no finding, however unlikely'),
    restart: p(50, 0, 1000, 'operations that a storage account may do at once, once a day, when it starts again'),
    failovers: p(2, 1, 24, 'times in 24 hours that SQL may open all its databases at once: there, and back'),
    highRatio: p(3, 1, 20, 'times the usual below which a busy hour is Medium at most: a rush doubles what is usual'),
    regrowth: p(4, 1, 20, 'growth of z that is told again while repeats are suppressed'),
  },
  'dormant-key-use': {
    days: p(30, 7, 400, 'days without use after which a key is dormant'),
  },
  'break-glass-use': {
    pauseMinutes: p(60, 5, 1440, 'minutes without a call after which a session of an emergency account is over'),
  },
  'decoy-key-use': {},
  'superseded-version-use': {
    storageGraceHours: p(26, 0, 336, 'storage looks for a new version once a day'),
    sqlGraceHours: p(2, 0, 336, 'SQL looks within 60 minutes'),
    graceHours: p(26, 0, 336, 'any other consumer'),
  },
  'operation-mix': {
    sweepKeys: p(10, 3, 1000, 'distinct keys read in one hour after a list that make a sweep'),
    sweepFactor: p(5, 1, 50, 'times the 95th percentile of the caller, if that is more'),
    divergence: p(0.3, 0.05, 1, 'Jensen–Shannon divergence of a day from the month, in bits'),
    leastHistory: p(200, 20, 100_000, 'operations of history before divergence is judged'),
    leastDay: p(50, 10, 100_000, 'operations of the day before divergence is judged'),
  },
  'unclassified-call': {},
  'unannounced-own-act': {},
} as const satisfies Record<string, Record<string, Parameter>>;
