import type { KeySummary, Tags } from '../keys/key.ts';
import type { EffectiveRule } from '../policy/rule.ts';
import { toIso } from '../time.ts';
import { dueOn } from './due.ts';

/** What the last survey knew of a key. Its version is known once somebody has read the key. */
export interface InventoryEntry {
  /** ISO instants, of the newest version. */
  createdOn: string;
  expiresOn?: string;
  enabled: boolean;
  version?: string;
  /** The tag of that name: detection weighs a key by its class. */
  class?: string;
}

/** Something about a key that deserves a look. One key may give several, in this order. */
export type Candidate =
  | { kind: 'firstSeen'; name: string; createdOn: string }
  /** A list page carries no version: another creation date is another version. */
  | { kind: 'newVersion'; name: string; createdOn: string; previousCreatedOn: string }
  | { kind: 'expired'; name: string; expiresOn: string; version?: string }
  | { kind: 'due'; name: string; dueOn: string; reason: 'NearExpiry' | 'MaximumAge'; version?: string }
  /** In the inventory, and on no page any more. */
  | { kind: 'gone'; name: string; version?: string };

export interface SurveyInput {
  hsm: string;
  page: KeySummary[];
  /** What is known of a key of this name; absent: nothing. */
  known: (name: string) => InventoryEntry | undefined;
  ruleOf: (name: string, tags: Tags) => EffectiveRule;
  now: Date;
}

export interface SurveyedPage {
  candidates: Candidate[];
  /** What the inventory holds of these keys from now on. */
  entries: Record<string, InventoryEntry>;
}

/**
 * Compares one list page with the inventory, without reading a single key: 5000 keys are 200 pages, which stream through one
 * after another. Disabled keys and keys whose rotation is off are watched and never due.
 */
export function surveyPage({ hsm, page, known, ruleOf, now }: SurveyInput): SurveyedPage {
  const surveyed = page.map((summary) => {
    const before = known(summary.name);
    const entry = nextEntry(summary, before);
    const changes = changesOf(summary, before);
    return { name: summary.name, entry, candidates: [...changes, ...dueWork(hsm, summary, entry, ruleOf, now)] };
  });
  return {
    candidates: surveyed.flatMap(({ candidates }) => candidates),
    entries: Object.fromEntries(surveyed.map(({ name, entry }) => [name, entry])),
  };
}

/** The keys that were known and stood on none of the pages. Only right once every page was seen. */
export const goneKeys = (inventory: Record<string, InventoryEntry>, seen: ReadonlySet<string>): Candidate[] =>
  Object.entries(inventory)
    .filter(([name]) => !seen.has(name))
    .map(([name, { version }]) => ({ kind: 'gone', name, ...(version === undefined ? {} : { version }) }));

function nextEntry(summary: KeySummary, before: InventoryEntry | undefined): InventoryEntry {
  const { createdOn, expiresOn, enabled, tags } = summary;
  const version = isSameVersion(summary, before) ? before?.version : undefined;
  return {
    createdOn,
    enabled,
    ...(expiresOn === undefined ? {} : { expiresOn }),
    ...(version === undefined ? {} : { version }),
    ...(tags.class === undefined ? {} : { class: tags.class }),
  };
}

const isSameVersion = (summary: KeySummary, before: InventoryEntry | undefined): boolean =>
  before !== undefined && Date.parse(before.createdOn) === Date.parse(summary.createdOn);

function changesOf(summary: KeySummary, before: InventoryEntry | undefined): Candidate[] {
  const { name, createdOn } = summary;
  if (before === undefined) return [{ kind: 'firstSeen', name, createdOn }];
  if (isSameVersion(summary, before)) return [];
  return [{ kind: 'newVersion', name, createdOn, previousCreatedOn: before.createdOn }];
}

function dueWork(
  hsm: string,
  summary: KeySummary,
  entry: InventoryEntry,
  ruleOf: SurveyInput['ruleOf'],
  now: Date,
): Candidate[] {
  const { name, tags, expiresOn } = summary;
  const rule = ruleOf(name, tags).rule.rotation;
  if (!summary.enabled || rule.mode === 'off') return [];
  const version = entry.version === undefined ? {} : { version: entry.version };
  const found: Candidate[] = [];
  if (expiresOn !== undefined && Date.parse(expiresOn) <= now.getTime()) {
    found.push({ kind: 'expired', name, expiresOn, ...version });
  }
  const { createdOn } = summary;
  const due = dueOn({ hsm, name, createdOn, ...version, ...(expiresOn === undefined ? {} : { expiresOn }) }, rule);
  if (due !== undefined && due.on <= now) {
    found.push({ kind: 'due', name, dueOn: toIso(due.on), reason: due.reason, ...version });
  }
  return found;
}
