import { describeSubject, type Incident } from './incident.ts';

/** Whom and what detection watches harder for an incident, and until when; it ends by itself. */
export interface HarderWatch {
  schema: 1;
  incident: string;
  hsm: string;
  /** When the incident was opened: older versions of the keys are an intruder's from then on. */
  since: string;
  until: string;
  caller?: { oid: string; app?: string; upn?: string };
  keys: string[];
}

/** Keys that were only named are not watched: whoever names them would raise what is found of everybody who uses them. */
const watchedKeys = ({ keys, keysUsed = keys }: Incident): string[] => keysUsed;

export function watchOf(incident: Incident, until: string): HarderWatch {
  const { id, hsm, subject, openedAt } = incident;
  return {
    schema: 1,
    incident: id,
    hsm,
    since: openedAt,
    until,
    ...(subject.kind === 'caller' ? { caller: subject.caller } : {}),
    keys: watchedKeys(incident),
  };
}

/** Until the policy's time has passed, or until it was closed as somebody's work. */
export const isWatched = ({ watchUntil, status, verdict }: Incident, now: Date): boolean =>
  watchUntil !== undefined &&
  Date.parse(watchUntil) > now.getTime() &&
  !(status === 'closed' && verdict?.verdict === 'benign');

/** What people are shown of a watch. */
export interface ShownWatch {
  until: string;
  /** Whom and what: a name, keys. Empty: nobody and no key is known that could be watched. */
  of: string[];
  /** Findings of the incident that weighed more because of a watch. */
  raised: number;
}

export function showWatch(incident: Incident): ShownWatch | undefined {
  const { watchUntil, subject, hsm, findings } = incident;
  if (watchUntil === undefined) return undefined;
  return {
    until: watchUntil,
    of: [
      ...(subject.kind === 'caller' ? [describeSubject(subject, hsm)] : []),
      ...watchedKeys(incident).map((key) => `key ${key}`),
    ],
    raised: findings.filter(({ watchedFor }) => watchedFor !== undefined).length,
  };
}

/** One line for the course of the incident. */
export function watchText(incident: Incident): string {
  const { until, of } = showWatch(incident) ?? { until: '', of: [] };
  return of.length === 0
    ? `Looked for until ${until}; nobody and no key is known that could be watched harder.`
    : `Watched harder until ${until}: ${of.join(', ')}.`;
}
