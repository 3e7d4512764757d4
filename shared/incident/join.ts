import type { CompromiseClass, Finding, ResponseMode } from '../detection/finding.ts';
import { combineScores, severityOf, worse } from '../detection/score.ts';
import { foremost } from '../detection/to-finding.ts';
import type { Incident, IncidentFinding, IncidentSubject, TimelineEntry } from './incident.ts';
import { roundOf, subjectOf } from './incident.ts';

/** Findings of one subject are one incident while they follow each other so closely, and for so long at most. */
export const JOIN_WITHIN_MS = 24 * 3_600_000;
export const LONGEST_JOIN_MS = 7 * 24 * 3_600_000;
export const REOPEN_WITHIN_MS = 7 * 24 * 3_600_000;

const MOST_FINDINGS = 200;
const MOST_KEYS = 50;
const MOST_ADDRESSES = 20;
const MOST_ASSIGNMENTS = 50;
const MOST_LINES = 400;

export type Joining =
  /** It is in the incident already, and says nothing new. */
  | { kind: 'known'; incident: Incident }
  | { kind: 'extend' | 'reopen'; incident: Incident; raised: boolean }
  /** An incident of its own. */
  | { kind: 'open' }
  /** Explained by our journal, or only to be kept: worth no incident of its own. */
  | { kind: 'none' };

/** Where a finding belongs, given the newest incident of its subject. */
export function joinFinding(incident: Incident | undefined, finding: Finding, now: Date): Joining {
  const known = incident?.findings.find(({ id }) => id === finding.id);
  if (incident && known) return grown(incident, known, finding);
  if (incident && belongsTo(incident, finding)) return extend(incident, finding, 'extend');
  if (!opensIncident(finding)) return { kind: 'none' };
  const closedAt = incident?.closed?.at;
  if (incident?.status === 'closed' && closedAt && now.getTime() - Date.parse(closedAt) <= REOPEN_WITHIN_MS) {
    return extend(reopened(incident, now), finding, 'reopen');
  }
  return { kind: 'open' };
}

/** What opens one: something that nobody announced, that asks for more than a record, and that is no repeat of what was told. */
export const opensIncident = ({
  severity,
  response,
  suppressed,
}: Pick<Finding, 'severity' | 'response' | 'suppressed'>): boolean =>
  severity !== 'Informational' && response !== 'record' && suppressed === undefined;

export function openIncident(id: string, openedBy: string, finding: Finding): Incident {
  const incident: Incident = {
    version: 1,
    id,
    hsm: finding.hsm,
    subject: subjectOf(finding),
    openedBy,
    openedAt: finding.foundAt,
    lastFindingAt: finding.foundAt,
    status: 'open',
    score: 0,
    severity: 'Low',
    class: finding.class,
    keys: [],
    findings: [],
    round: 1,
    timeline: [],
  };
  return withFinding(incident, finding);
}

/** An incident that a person declared; the finding it stands on is theirs. */
export const declareIncident = (
  id: string,
  finding: Finding,
  declared: NonNullable<Incident['declared']>,
  subject: IncidentSubject,
): Incident => ({ ...openIncident(id, `operator ${declared.name}`, finding), subject, declared });

/** Within a day of the last finding, and within a week of the first; a closed one takes nothing more. */
function belongsTo({ status, lastFindingAt, roundAt, openedAt }: Incident, { foundAt }: Finding): boolean {
  if (status === 'closed') return false;
  const at = Date.parse(foundAt);
  return at - Date.parse(lastFindingAt) <= JOIN_WITHIN_MS && at - Date.parse(roundAt ?? openedAt) <= LONGEST_JOIN_MS;
}

/** The same finding with a higher score replaces itself, because detection counts on. */
function grown(incident: Incident, known: IncidentFinding, finding: Finding): Joining {
  if (finding.score <= known.score || incident.status === 'closed') return { kind: 'known', incident };
  const others = { ...incident, findings: incident.findings.filter(({ id }) => id !== known.id) };
  const next = withFinding({ ...others, findingsInAll: (incident.findingsInAll ?? 1) - 1 }, finding);
  return { kind: 'extend', incident: next, raised: next.severity !== incident.severity };
}

function extend(incident: Incident, finding: Finding, kind: 'extend' | 'reopen'): Joining {
  const next = withFinding(incident, finding);
  return { kind, incident: next, raised: next.severity !== incident.severity };
}

/** The old round stays in the timeline; what was decided then is not taken for a decision now. */
function reopened(
  {
    closed,
    verdict: _,
    closeAsked: __,
    watchUntil: ___,
    containment: ____,
    verification: _____,
    tired: ______,
    ...incident
  }: Incident,
  now: Date,
): Incident {
  const entry = { at: now.toISOString(), kind: 'reopened', by: 'detection' };
  return {
    ...incident,
    status: 'open',
    round: roundOf(incident) + 1,
    roundAt: now.toISOString(),
    timeline: withLine(incident, {
      ...entry,
      text: `Opened again; it was closed on ${closed?.at ?? 'an unknown day'}.`,
    }),
  };
}

export const withLine = ({ timeline = [] }: Pick<Incident, 'timeline'>, entry: TimelineEntry): TimelineEntry[] =>
  timeline.length < MOST_LINES ? [...timeline, entry] : [...timeline.slice(0, MOST_LINES - 1), entry];

function withFinding(incident: Incident, finding: Finding): Incident {
  const { id, detector, title, score, severity, from, until, foundAt, response, nextStep } = finding;
  const entry: IncidentFinding = {
    ...{ id, detector, title, score, severity, from, until, foundAt, response, nextStep },
    class: finding.class,
    ...(finding.watchedFor === undefined ? {} : { watchedFor: finding.watchedFor }),
  };
  const findings = [...incident.findings, entry].slice(-MOST_FINDINGS);
  const keys = distinct([...incident.keys, ...finding.keys]);
  // What an older finding speaks of counts as used.
  const used = distinct([...(incident.keysUsed ?? incident.keys), ...(finding.keysUsed ?? finding.keys)]).slice(
    0,
    MOST_KEYS,
  );
  const total = Math.max(incident.score, combineScores(findings));
  const line = { at: foundAt, kind: 'finding', by: detector, text: title };
  return {
    ...incident,
    findings,
    findingsInAll: (incident.findingsInAll ?? incident.findings.length) + 1,
    lastFindingAt: later(incident.lastFindingAt, foundAt),
    keys: foremost(keys, used, MOST_KEYS),
    keysUsed: used,
    keysInAll: Math.max(incident.keysInAll ?? 0, keys.length, finding.keysInAll),
    score: total,
    // A severity may rise and never falls: what was grave this morning still is.
    severity: worse(worse(incident.severity, severityOf(total)), severity),
    class: graver(incident.class, finding.class),
    response: stronger(incident.response ?? 'record', response),
    assignments: distinctBy(
      [
        ...(incident.assignments ?? []),
        ...finding.assignments.map((each) => ({ ...each, response, at: finding.from })),
      ],
      (each) => `${each.scope} ${each.id}`.toLowerCase(),
    ),
    ...(finding.address === undefined
      ? {}
      : { addresses: distinct([...(incident.addresses ?? []), finding.address]).slice(0, MOST_ADDRESSES) }),
    ...(finding.versions === undefined ? {} : { versions: mergeVersions(incident.versions ?? {}, finding.versions) }),
    subject: withNames(incident.subject, finding),
    timeline: withLine(incident, line),
  };
}

/** Later rows may name what the first did not: the application, or the person behind an object id. */
function withNames(subject: IncidentSubject, { caller }: Finding): IncidentSubject {
  if (subject.kind !== 'caller' || caller?.oid.toLowerCase() !== subject.caller.oid.toLowerCase()) return subject;
  return { kind: 'caller', caller: { ...caller, ...subject.caller } };
}

/** The gravest first: it decides what protects the keys now. */
const CLASSES: readonly CompromiseClass[] = ['rootOfTrust', 'keyMaterial', 'destruction', 'controls', 'misuse'];
const graver = (a: CompromiseClass, b: CompromiseClass): CompromiseClass =>
  CLASSES.indexOf(a) <= CLASSES.indexOf(b) ? a : b;

const MODES: readonly ResponseMode[] = ['record', 'notify', 'containByPolicy', 'containByApproval', 'containByTwo'];
/** Of two proposals the one that asks for more people. */
const stronger = (a: ResponseMode, b: ResponseMode): ResponseMode => (MODES.indexOf(a) >= MODES.indexOf(b) ? a : b);

const later = (a: string, b: string): string => (Date.parse(a) >= Date.parse(b) ? a : b);

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)].sort();

const distinctBy = <T>(items: readonly T[], by: (item: T) => string): T[] =>
  [...new Map(items.map((item) => [by(item), item])).values()].slice(0, MOST_ASSIGNMENTS);

function mergeVersions(a: Record<string, string[]>, b: Record<string, string[]>): Record<string, string[]> {
  const names = distinct([...Object.keys(a), ...Object.keys(b)]).slice(0, MOST_KEYS);
  return Object.fromEntries(names.map((name) => [name, distinct([...(a[name] ?? []), ...(b[name] ?? [])])]));
}
