import type { CompromiseClass, Severity } from '../detection/finding.ts';
import {
  describeSubject,
  type EvidenceSummary,
  type Incident,
  type IncidentFinding,
  type RemovedAssignment,
  roundOf,
  type TimelineEntry,
  type Verification,
} from './incident.ts';
import type { PlannedStep } from './step.ts';
import { type ShownWatch, showWatch } from './watch.ts';

/** The whole of an incident for whoever has to answer for it: what was seen, done, decided, and what is not known. */
export interface IncidentReport {
  version: 1;
  incident: string;
  round: number;
  installation: string;
  hsm: string;
  subject: string;
  openedBy: string;
  openedAt: string;
  closedAt: string;
  closedBy: string;
  closingNote: string;
  severity: Severity;
  score: number;
  class: CompromiseClass;
  verdict: string;
  /** Object id, and the name where it is known. */
  verdictBy?: string;
  verdictName?: string;
  verdictNote?: string;
  /** Seconds; absent where it did not come to that. */
  times: { toDetect?: number; toContain?: number; toClose: number };
  containment: { kind: 'full' | 'partial' | 'none'; remains: string[] };
  verification?: Verification;
  /** Each key with what was done about it. */
  keys: { key: string; versions: string[]; done: string[] }[];
  findings: IncidentFinding[];
  findingsInAll: number;
  steps: PlannedStep[];
  removed: RemovedAssignment[];
  /** Whom and what detection watched harder. */
  watch?: ShownWatch;
  evidence?: EvidenceSummary;
  /** What was not collected as evidence, and why: not there, or not readable. */
  notCollected: string[];
  /** What nobody knows. */
  unknown: string[];
  timeline: TimelineEntry[];
}

/** Gravest first, in the words of the sheet that responders read. */
export const CLASS_WORDS: Record<CompromiseClass, string> = {
  misuse: 'A key was used, or could be used, by somebody who should not',
  keyMaterial: 'Key material left the HSM, or can be restored elsewhere',
  rootOfTrust: 'The HSM can be rebuilt elsewhere: security domain or full backup',
  destruction: 'Keys or the HSM were removed, or rolled back',
  controls: 'Roles, settings, network or logging were weakened',
};

export const VERDICT_WORDS: Record<string, string> = {
  confirmed: 'Confirmed',
  likely: 'Likely',
  benign: 'Benign',
  insufficientEvidence: 'Insufficient evidence',
  none: 'No verdict',
};

export function buildIncidentReport(
  incident: Incident,
  { installation, closed }: { installation: string; closed: NonNullable<Incident['closed']> },
): IncidentReport {
  const { plan = [], removed = [], timeline = [], verdict, verification, evidence } = incident;
  const began = incident.findings.map(({ from }) => Date.parse(from)).filter((each) => !Number.isNaN(each));
  const opened = Date.parse(incident.roundAt ?? incident.openedAt);
  const seconds = (from: number, to: number) => Math.max(0, Math.round((to - from) / 1000));
  const contained = incident.containment;
  const watch = showWatch(incident);
  return {
    version: 1,
    incident: incident.id,
    round: roundOf(incident),
    installation,
    hsm: incident.hsm,
    subject: describeSubject(incident.subject, incident.hsm),
    openedBy: incident.openedBy,
    openedAt: incident.openedAt,
    closedAt: closed.at,
    closedBy: closed.by,
    closingNote: closed.note,
    severity: incident.severity,
    score: incident.score,
    class: incident.class,
    verdict: verdict?.verdict ?? 'none',
    ...(verdict ? { verdictBy: verdict.by, verdictNote: verdict.note } : {}),
    ...(verdict?.name === undefined ? {} : { verdictName: verdict.name }),
    times: {
      ...(began.length === 0 ? {} : { toDetect: seconds(Math.min(...began), Date.parse(incident.openedAt)) }),
      ...(contained && contained.kind !== 'none' ? { toContain: seconds(opened, Date.parse(contained.at)) } : {}),
      toClose: seconds(opened, Date.parse(closed.at)),
    },
    containment: { kind: contained?.kind ?? 'none', remains: contained?.remains ?? [] },
    ...(verification ? { verification } : {}),
    keys: incident.keys.map((key) => ({
      key,
      versions: incident.versions?.[key] ?? [],
      done: plan.filter((step) => step.key === key && step.state === 'done').map(({ title }) => title),
    })),
    findings: incident.findings,
    findingsInAll: incident.findingsInAll ?? incident.findings.length,
    steps: plan,
    removed,
    ...(watch ? { watch } : {}),
    ...(evidence ? { evidence } : {}),
    notCollected: [...(evidence?.absent ?? []), ...(evidence?.gaps ?? [])],
    unknown: unknownOf(incident),
    timeline: timeline.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at)),
  };
}

/** A report that hides what it does not know is worse than none. */
function unknownOf({ evidence, verification, keys, keysInAll = 0, containment }: Incident): string[] {
  return [
    ...(evidence ? [] : ['No evidence was taken.']),
    ...(verification === undefined && containment && containment.kind !== 'none'
      ? ['Whether the intruder is kept out was never verified.']
      : []),
    ...(verification?.result === 'unknown' ? [verification.explanation] : []),
    ...(keysInAll > keys.length ? [`${keysInAll - keys.length} more keys are concerned than are listed here.`] : []),
  ];
}

/** `2 h 5 min`. */
export function printTime(seconds: number): string {
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ');
}
