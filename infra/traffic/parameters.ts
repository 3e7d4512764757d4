/** Every number of the model. Ranges are drawn per identity or per seed, uniformly. */
export interface TrafficParameters {
  historyWeeks: number;
  /** Weeks that are judged, after the history. */
  weeks: number;
  hsmsPerSeed: number;
  /** Storage accounts with a customer-managed key. "A few calls an hour" each:
   * https://learn.microsoft.com/azure/key-vault/managed-hsm/scaling-guidance */
  storage: {
    identities: number;
    perHour: [number, number];
    dispersion: number;
    restartDays: number;
    restart: [number, number];
  };
  /** Keys that a storage identity uses now and then. */
  minor: { keys: number; perHour: number };
  sql: { identities: number; perHour: [number, number]; failoverDays: number; databases: [number, number] };
  application: {
    peak: [number, number];
    night: number;
    weekend: number;
    dayDeviation: number;
    growthPerWeek: number;
    surgeDays: number;
    dispersion: number;
  };
  batch: { nights: number; size: number; deviation: number; monthEnd: number };
  people: {
    admins: number;
    burstsPerWeek: number;
    burst: [number, number];
    roleChangesPerWeek: number;
    announced: number;
  };
  automation: { rotationDays: [number, number]; backupDays: number };
  /** Share of an application's calls that is throttled or fails. */
  failures: number;
  arrival: {
    medianMinutes: number;
    p95Minutes: number;
    repeated: number;
    delayDays: number;
    delayMinutes: number;
    outageDays: number;
    outageMinutes: number;
  };
  /** Services that come and go. */
  change: { onboardingDays: number; decommissionDays: number };
  decoys: number;
  dormant: number;
}

export const DEFAULTS: TrafficParameters = {
  historyWeeks: 4,
  weeks: 4,
  hsmsPerSeed: 1,
  storage: { identities: 7, perHour: [3, 6], dispersion: 10, restartDays: 28, restart: [15, 40] },
  minor: { keys: 14, perHour: 0.3 },
  sql: { identities: 3, perHour: [6, 10], failoverDays: 14, databases: [80, 200] },
  application: {
    peak: [1500, 2500],
    night: 40,
    weekend: 0.25,
    dayDeviation: 0.15,
    growthPerWeek: 0.015,
    surgeDays: 21,
    dispersion: 30,
  },
  batch: { nights: 0.1, size: 5000, deviation: 400, monthEnd: 3 },
  people: { admins: 5, burstsPerWeek: 2, burst: [10, 40], roleChangesPerWeek: 2, announced: 0.9 },
  automation: { rotationDays: [30, 90], backupDays: 7 },
  failures: 0.001,
  arrival: {
    medianMinutes: 4,
    p95Minutes: 10,
    repeated: 0.01,
    delayDays: 30,
    delayMinutes: 40,
    outageDays: 90,
    outageMinutes: 90,
  },
  change: { onboardingDays: 28, decommissionDays: 28 },
  decoys: 1,
  dormant: 3,
};
