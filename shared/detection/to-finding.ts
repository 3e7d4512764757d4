import { wallClock } from '../time-zone.ts';
import type { CallClass } from './audit-call.ts';
import type { Detector, Draft } from './detector.ts';
import type { Finding, Severity } from './finding.ts';
import { distinct, keysOf } from './grouping.ts';
import { type JudgedCall, TEXT_LIMIT } from './judged-calls.ts';
import { isOffDay } from './off-days.ts';
import { lookUp, type Scene } from './scene.ts';
import { clampScore, severityOf } from './score.ts';

/** Lower-case hex SHA-256 of the UTF-8 text; given, because pure code has no crypto of its own. */
export type Sha256 = (text: string) => string;

const MOST_KEYS = 50;
const MOST_IDS = 20;
/** What our journal explains stays below what anybody is told of. */
const EXPLAINED_CAP = 21;
const LEARNING_DISCOUNT = 15;
const TOP: Record<Severity, number> = { Informational: 21, Low: 21, Medium: 47, High: 73, Critical: 100 };

/** The finding that a draft amounts to: id, score with its modifiers, severity and bounds. */
export function toFinding(scene: Scene, detector: Detector, draft: Draft, sha256: Sha256): Finding {
  const { calls } = draft;
  const first = calls[0];
  const keys = (draft.keys ?? keysOf(calls)).toSorted();
  const used = usedOf(calls, keys);
  const from = draft.from ?? isoMin(calls);
  const who = draft.who ?? first?.who ?? '*';
  const modifiers = draft.plain ? {} : modifiersOf(scene, calls, keys);
  const learning = draft.learning === true;
  const sum = Object.values(modifiers).reduce((total, value) => total + value, draft.base);
  // A statistic alone is never Critical, whatever it is about; a pattern over several findings may be.
  const most = TOP[draft.most ?? detector.severity.most];
  const raw = Math.min(most, clampScore(sum - (learning ? LEARNING_DISCOUNT : 0)));
  const score = draft.explained ? Math.min(raw, EXPLAINED_CAP) : raw;
  const caller = draft.caller ?? first?.caller;
  const address = draft.address ?? first?.address;
  const versions = versionsOf(calls);
  const width = draft.windowMinutes * 60_000;
  const aligned = Math.floor(Date.parse(from) / width) * width;
  const subject = draft.subject ?? '*';
  const identity = [detector.id, detector.version, scene.hsm, who, subject, draft.explained, aligned];
  return {
    version: 1,
    id: sha256(JSON.stringify(identity)).slice(0, 32),
    detector: detector.id,
    detectorVersion: detector.version,
    hsm: scene.hsm,
    ...(caller === undefined ? {} : { caller }),
    ...(address ? { address } : {}),
    keys: foremost(keys, used, MOST_KEYS),
    keysInAll: keys.length,
    keysUsed: used.slice(0, MOST_KEYS),
    ...(versions === undefined ? {} : { versions }),
    classes: distinct<CallClass>(calls.map((call) => call.class)).sort(),
    from,
    until: draft.until ?? isoMax(calls) ?? from,
    foundAt: scene.facts.now,
    title: cut(draft.title),
    explanation: draft.explanation.slice(0, 5 * TEXT_LIMIT),
    nextStep: draft.nextStep,
    score,
    severity: draft.explained || learning ? 'Informational' : severityOf(score),
    class: draft.class ?? detector.compromise,
    response: draft.explained || learning ? 'record' : (draft.response ?? detector.response),
    techniques: detector.techniques,
    assignments: draft.assignments ?? [],
    facts: boundFacts({ base: draft.base, ...modifiers, calls: totalOf(calls), ...draft.facts }),
    correlationIds: distinct(calls.flatMap(({ correlationIds }) => correlationIds))
      .sort()
      .slice(0, MOST_IDS),
    intents: distinct(calls.flatMap(({ intents }) => intents))
      .sort()
      .slice(0, MOST_IDS),
    ...(learning ? { learning } : {}),
  };
}

/** What makes the same call weigh more, each named as it is told. */
function modifiersOf(scene: Scene, calls: readonly JudgedCall[], keys: readonly string[]): Record<string, number> {
  const { rule } = scene;
  const modifiers: Record<string, number> = {};
  const tier0 = keys.some((key) => rule.tier0Classes.includes(scene.keys.get(key)?.class ?? ''));
  if (rule.tier0Hsm || tier0) modifiers['tier 0'] = 15;
  const first = calls[0];
  if (first === undefined) return modifiers;
  const person = first.caller.upn !== undefined;
  if (person && calls.some(({ class: of }) => of.startsWith('crypto.'))) modifiers['person doing machine work'] = 10;
  if (calls.some((call) => isStrangePublic(scene, call))) modifiers['unfamiliar public network'] = 10;
  if (person && calls.every((call) => outsideHours(scene, call.firstMs))) modifiers['outside working hours'] = 10;
  return modifiers;
}

function isStrangePublic(scene: Scene, { place, trustedService, who }: JudgedCall): boolean {
  if (trustedService || !place.public || place.allowed) return false;
  const known = lookUp(scene.memory.callers, who)?.networks ?? {};
  return lookUp(known, place.network) === undefined;
}

function outsideHours({ rule: { calendar } }: Scene, at: number): boolean {
  const hour = wallClock(new Date(at), calendar.timeZone).getUTCHours();
  const { from, to } = calendar.workingHours;
  return hour < from || hour >= to || isOffDay(calendar, at);
}

function versionsOf(calls: readonly JudgedCall[]): Record<string, string[]> | undefined {
  const found = new Map<string, Set<string>>();
  for (const { key, version } of calls) {
    if (key === undefined || version === undefined) continue;
    if (!found.has(key) && found.size >= MOST_KEYS) continue;
    const versions = found.get(key) ?? new Set();
    if (versions.size < MOST_IDS) versions.add(version);
    found.set(key, versions);
  }
  if (found.size === 0) return undefined;
  return Object.fromEntries([...found].sort().map(([key, versions]) => [key, [...versions].sort()]));
}

/** Findings without calls speak of volumes, which count what succeeded. */
function usedOf(calls: readonly JudgedCall[], keys: readonly string[]): string[] {
  if (calls.length === 0) return [...keys];
  const used = new Set(calls.flatMap((call) => (isUse(call) && call.key !== undefined ? [call.key] : [])));
  return keys.filter((key) => used.has(key));
}

/** Sorted; where there are too many, those that were used stay: whoever names a hundred keys hides none of them. */
export const foremost = (keys: readonly string[], used: readonly string[], most: number): string[] =>
  [...used, ...keys.filter((key) => !used.includes(key))].slice(0, most).sort();

const isUse = ({ class: of, outcome }: JudgedCall): boolean =>
  outcome === 'ok' && (of.startsWith('crypto.') || of.startsWith('key.') || of === 'unclassified');

const boundFacts = (facts: Finding['facts']): Finding['facts'] =>
  Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [name, typeof value === 'string' ? cut(value) : value]),
  );

const cut = (text: string): string => (text.length > TEXT_LIMIT ? `${text.slice(0, TEXT_LIMIT - 1)}…` : text);

const totalOf = (calls: readonly JudgedCall[]): number => calls.reduce((sum, { count }) => sum + count, 0);

function isoMin(calls: readonly JudgedCall[]): string {
  let least = Number.POSITIVE_INFINITY;
  for (const { firstMs } of calls) least = Math.min(least, firstMs);
  return new Date(Number.isFinite(least) ? least : 0).toISOString();
}

function isoMax(calls: readonly JudgedCall[]): string | undefined {
  let most = Number.NEGATIVE_INFINITY;
  for (const { lastMs } of calls) most = Math.max(most, lastMs);
  return Number.isFinite(most) ? new Date(most).toISOString() : undefined;
}
