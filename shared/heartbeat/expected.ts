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
}

const OF_THE_INSTALLATION: ReadonlySet<HeartbeatWork> = new Set(['purge']);

export const heartbeatName = (work: HeartbeatWork, hsm?: string): string =>
  hsm === undefined ? work : `${work}-${hsm}`;

/** Each work for each HSM, in order of name. */
export function expectedHeartbeats(schedules: HeartbeatSchedules, hsms: readonly string[]): Expected[] {
  return (Object.entries(schedules) as [HeartbeatWork, string][])
    .flatMap(([work, schedule]): Expected[] =>
      OF_THE_INSTALLATION.has(work)
        ? [{ name: heartbeatName(work), work, schedule }]
        : hsms.map((hsm) => ({ name: heartbeatName(work, hsm), work, hsm, schedule })),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
