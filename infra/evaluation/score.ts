import type { Severity } from '../../shared/detection/finding.ts';
import { DAY } from '../traffic/calendar.ts';
import type { AttackLabel } from '../traffic/call.ts';
import { type Alert, atLeast, worseOf } from './alert.ts';

/** Alerts that belong together: one tool, one rule, one caller or key, each within a day of the one before. */
export interface Episode {
  detector: string;
  from: number;
  until: number;
  severity: Severity;
  alerts: Alert[];
}

/** How one labelled attack fared. */
export interface Outcome {
  seed: number;
  label: AttackLabel;
  found: boolean;
  inTime: boolean;
  /** Milliseconds from the first call, and from the arrival of the first row. */
  fromEvent: number;
  fromArrival: number;
  /** Of the alert that found it first: whether it named both a right caller and a right key, or as many as there are. */
  named: boolean;
  severity: Severity;
  detector: string;
  /** Of one that was missed. */
  why: string;
  /** Times that somebody was told of it. */
  notices: number;
}

export interface Scored {
  outcomes: Outcome[];
  /** Episodes of the clean run: each is a false positive. */
  falsePositives: Episode[];
  /** Of the run with attacks: Medium and above, those that belong to an attack and all. */
  truePositives: number;
  positives: number;
  /** The same of detectors that decide by rule. */
  byRule: { truePositives: number; positives: number };
}

/** Detectors of ours that compare with what is usual; every other one decides by rule. */
const STATISTICAL = new Set([
  ...[
    'volume-out-of-season',
    'first-seen-caller',
    'unfamiliar-network',
    'denied-burst',
    'operation-mix',
    'dormant-key-use',
  ],
  ...['mean + 3σ', 'decomposition', 'new terms'],
]);

export const isStatistical = (detector: string): boolean => STATISTICAL.has(detector);

const MERGE = DAY;
/** What goes on for longer is told again. */
const LONGEST = 7 * DAY;

export function episodesOf(alerts: readonly Alert[]): Episode[] {
  const open = new Map<string, Episode>();
  const episodes: Episode[] = [];
  for (const alert of alerts.toSorted((left, right) => left.at - right.at)) {
    const subject = `${alert.detector} ${alert.callers[0] ?? ''} ${alert.callers.length > 0 ? '' : (alert.keys[0] ?? '')}`;
    const known = open.get(subject);
    if (known && alert.at - known.until <= MERGE && alert.at - known.from <= LONGEST) {
      known.until = alert.at;
      known.severity = worseOf(known.severity, alert.severity);
      known.alerts.push(alert);
      continue;
    }
    const { detector, at, severity } = alert;
    const fresh: Episode = { detector, from: at, until: at, severity, alerts: [alert] };
    open.set(subject, fresh);
    episodes.push(fresh);
  }
  return episodes;
}

const names = ({ callers, keys, hsmWide }: AttackLabel, alert: Alert): boolean =>
  alert.callers.some((caller) => caller !== '' && callers.includes(caller)) ||
  alert.keys.some((key) => keys.includes(key)) ||
  (hsmWide && alert.callers.every((caller) => caller === '') && alert.keys.length === 0);

/** Whether an alert is about an attack: it names the right caller or key, and comes between its start and its deadline. */
export const belongs = (label: AttackLabel, alert: Alert): boolean =>
  alert.at >= label.from && alert.at <= label.deadline && names(label, alert);

/** Only Medium and above is told to anybody, so only that finds an attack or is a false positive. */
const told = (alerts: readonly Alert[]) =>
  alerts.filter(({ severity, repeat }) => atLeast(severity, 'Medium') && !repeat);

/**
 * An attack is found by an alert that names its caller or key in time, and that the clean run of the same seed does not have:
 * a tool that always shouts finds nothing.
 */
export function scoreRun(
  seed: number,
  labels: readonly AttackLabel[],
  attacked: readonly Alert[],
  clean: readonly Alert[],
): Scored {
  const worst = new Map(told(clean).map(({ id, severity }) => [id, severity]));
  const fresh = told(attacked).filter((alert) => {
    const before = worst.get(alert.id);
    return before === undefined || !atLeast(before, alert.severity);
  });
  const episodes = episodesOf(told(attacked));
  const known = new Set(fresh);
  const hits = episodes.filter(({ alerts }) =>
    alerts.some((alert) => known.has(alert) && labels.some((label) => belongs(label, alert))),
  );
  const byRule = ({ detector }: Episode) => !isStatistical(detector);
  return {
    outcomes: labels.map((label) => outcomeOf(seed, label, fresh, attacked)),
    falsePositives: episodesOf(told(clean)),
    truePositives: hits.length,
    positives: episodes.length,
    byRule: { truePositives: hits.filter(byRule).length, positives: episodes.filter(byRule).length },
  };
}

function outcomeOf(seed: number, label: AttackLabel, fresh: readonly Alert[], all: readonly Alert[]): Outcome {
  const hits = fresh.filter((alert) => belongs(label, alert)).sort((left, right) => left.at - right.at);
  const [first] = hits;
  if (!first) {
    const none = { found: false, inTime: false, named: false, notices: 0, detector: '' };
    return {
      seed,
      label,
      ...none,
      ...{ fromEvent: Number.NaN, fromArrival: Number.NaN },
      severity: 'Informational',
      why: whyMissed(label, all),
    };
  }
  const named =
    (label.callers.length === 0 || first.callers.some((caller) => label.callers.includes(caller))) &&
    (label.keys.length === 0 || first.keys.some((key) => label.keys.includes(key)));
  return {
    seed,
    label,
    found: true,
    inTime: first.at - label.from <= label.targetMs + Math.max(0, lateness(label)),
    fromEvent: first.at - label.from,
    fromArrival: Number.isFinite(label.firstArrival) ? first.at - label.firstArrival : Number.NaN,
    named,
    severity: hits.reduce<Severity>((worst, { severity }) => worseOf(worst, severity), 'Informational'),
    detector: first.detector,
    why: '',
    notices: noticesOf(hits),
  };
}

/** What came nearest to it. */
function whyMissed(label: AttackLabel, alerts: readonly Alert[]): string {
  const near = alerts.filter((alert) => belongs({ ...label, deadline: label.deadline + 2 * DAY }, alert));
  const best = near.reduce<Alert | undefined>(
    (worst, alert) => (worst && atLeast(worst.severity, alert.severity) ? worst : alert),
    undefined,
  );
  if (!best) return 'nothing was said';
  const text = `${best.severity}, ${best.detector}: ${best.title}`;
  if (best.repeat) return `taken for a repeat (${text})`;
  if (best.at > label.deadline) return `too late (${text})`;
  return atLeast(best.severity, 'Medium') ? `said in the clean run too (${text})` : `not loud enough (${text})`;
}

/** The targets allow ten minutes for the row to arrive; what comes later is not the detector's fault. */
const lateness = ({ firstArrival, from }: AttackLabel): number =>
  Number.isFinite(firstArrival) ? firstArrival - from - 10 * 60_000 : 0;

/** Findings on one caller, or on one key, join into one incident for a day: it is told once, and again when it gets worse. */
function noticesOf(hits: readonly Alert[]): number {
  let notices = 0;
  const incidents = new Map<string, { until: number; severity: Severity }>();
  for (const { callers, keys, at, severity } of hits) {
    const subject = callers.find((name) => name !== '') ?? keys[0] ?? 'hsm';
    const incident = incidents.get(subject);
    if (incident && at - incident.until <= MERGE) {
      incident.until = at;
      if (atLeast(incident.severity, severity)) continue;
      incident.severity = severity;
    } else incidents.set(subject, { until: at, severity });
    notices++;
  }
  return notices;
}
