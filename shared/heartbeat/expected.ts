/** Work that runs by the clock. Part of the names of stored heartbeats, notices and events. */
export type HeartbeatWork = 'sweep' | 'reconcile' | 'backup' | 'custody' | 'audit' | 'logs' | 'adoption' | 'purge';

/** NCRONTAB, UTC; absent: this installation does not do that work. */
export type HeartbeatSchedules = Partial<Record<HeartbeatWork, string>>;

/** A heartbeat that should come. */
export interface Expected {
  /** `sweep-contoso`; `purge` for what concerns no single HSM. */
  name: string;
  work: HeartbeatWork;
  hsm?: string;
  schedule: string;
  /** ISO duration that it may be silent on top of schedule and grace. */
  patience?: string;
  /** Heartbeat of the work that looks: nothing is silent that nobody has looked for since it was due. */
  witness?: string;
}

const OF_THE_INSTALLATION: ReadonlySet<HeartbeatWork> = new Set(['purge']);

/**
 * Rows of the log. The detector `logging-gap` tells security of their silence first, as a finding, where it can tell a log that
 * is cut off from an HSM that does not answer: after three times the usual delay, three hours at most. This watch waits until
 * the detector would have spoken, and tells those who care for the HSM of every other silence: no row ever came, the HSM does
 * not answer, or too little is known of the log. That rows come again it tells in both cases; the detector has no word for that.
 */
const LOG_PATIENCE = 'PT3H';

export const heartbeatName = (work: HeartbeatWork, hsm?: string): string =>
  hsm === undefined ? work : `${work}-${hsm}`;

/** Each work for each HSM, in order of name. */
export function expectedHeartbeats(schedules: HeartbeatSchedules, hsms: readonly string[]): Expected[] {
  return (Object.entries(schedules) as [HeartbeatWork, string][])
    .flatMap(([work, schedule]): Expected[] =>
      OF_THE_INSTALLATION.has(work)
        ? [{ name: heartbeatName(work), work, schedule }]
        : hsms.map((hsm) => ({
            ...{ name: heartbeatName(work, hsm), work, hsm, schedule },
            ...(work === 'logs' ? { patience: LOG_PATIENCE, witness: heartbeatName('audit', hsm) } : {}),
          })),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
