import type { KeyFacts } from '../keys/key.ts';
import { addDuration, DAY_MS, durationInDays } from '../time.ts';

export interface VersionDifference {
  attribute: string;
  expected: string;
  found: string;
  /** `corrupt`: what makes the version the version of this key is missing or wrong, so that it must not be handed on. */
  severity: 'corrupt' | 'different';
}

export interface CompareInput {
  /** The version before; absent for the first version of a key, when only the answer itself can be judged. */
  before?: KeyFacts;
  after: KeyFacts;
  /** ISO duration that the new version should live. */
  validity: string;
  now: Date;
}

/** The HSM's clock and ours may differ by so much. */
const TOLERANCE_MS = 120_000;
const NOTHING = 'nothing';

/**
 * Everything in which a new version is not what a rotation should have made: whole, of the same kind, with material of its
 * own and the life that its policy gives. Empty when there is nothing to say.
 */
export function compareVersion({ before, after, validity, now }: CompareInput): VersionDifference[] {
  const found: VersionDifference[] = [...wholeness(after), ...lifetime(after, validity, now)];
  if (before !== undefined) found.push(...sameness(before, after), ...newness(before, after));
  return found;
}

/** True when a difference forbids handing the version to anybody. */
export const isCorrupt = (differences: VersionDifference[]): boolean =>
  differences.some(({ severity }) => severity === 'corrupt');

/** Seen in the field: a creation whose answer lacked members, or carried broken ones. */
function wholeness(after: KeyFacts): VersionDifference[] {
  const found: VersionDifference[] = [];
  const demand = (holds: boolean, attribute: string, expected: string, value: string | undefined) => {
    if (!holds) found.push({ attribute, expected, found: value || NOTHING, severity: 'corrupt' });
  };
  demand(/^[0-9a-f]{32}$/i.test(after.version), 'version', '32 hex digits', after.version);
  demand(!Number.isNaN(Date.parse(after.createdOn)), 'createdOn', 'an instant', after.createdOn);
  demand(['RSA-HSM', 'EC-HSM', 'oct-HSM'].includes(after.keyType), 'keyType', 'a type held in an HSM', after.keyType);
  demand(after.keyOps.length > 0, 'keyOps', 'permitted operations', undefined);
  if (after.keyType !== 'oct-HSM') {
    const fingerprint = after.publicFingerprint;
    demand(/^[0-9a-f]{64}$/i.test(fingerprint ?? ''), 'publicFingerprint', 'public material', fingerprint);
  }
  return found;
}

function lifetime(after: KeyFacts, validity: string, now: Date): VersionDifference[] {
  const found: VersionDifference[] = [];
  const created = new Date(after.createdOn);
  if (!Number.isNaN(created.getTime()) && !livesFor(created, after.expiresOn, validity)) {
    const expected = `${addDuration(created, validity).toISOString()} (${validity} after creation)`;
    found.push({ attribute: 'expiresOn', expected, found: after.expiresOn ?? NOTHING, severity: 'different' });
  }
  if (after.notBefore !== undefined && Date.parse(after.notBefore) > now.getTime() + TOLERANCE_MS) {
    found.push({ attribute: 'notBefore', expected: 'nothing, or past', found: after.notBefore, severity: 'different' });
  }
  return found;
}

/** How the service counts months and years is not published, so the calendar and the nominal reading are both right. */
function livesFor(created: Date, expiresOn: string | undefined, validity: string): boolean {
  if (expiresOn === undefined) return false;
  const readings = [addDuration(created, validity).getTime(), created.getTime() + durationInDays(validity) * DAY_MS];
  return readings.some((expected) => Math.abs(Date.parse(expiresOn) - expected) <= TOLERANCE_MS);
}

/** What a rotation hands on. A key of another kind under the same name would break every consumer, so that is corrupt. */
function sameness(before: KeyFacts, after: KeyFacts): VersionDifference[] {
  const found: VersionDifference[] = [];
  const same = (attribute: string, a: unknown, b: unknown, severity: VersionDifference['severity'] = 'different') => {
    const [expected, got] = [printed(a), printed(b)];
    if (expected !== got) found.push({ attribute, expected, found: got, severity });
  };
  same('keyType', before.keyType, after.keyType, 'corrupt');
  same('keySize', before.keySize, after.keySize, 'corrupt');
  same('curve', before.curve, after.curve, 'corrupt');
  // The service answers key_ops in any order.
  same('keyOps', before.keyOps.toSorted(), after.keyOps.toSorted());
  same('enabled', true, after.enabled);
  same('exportable', before.exportable, after.exportable);
  same('recoveryLevel', before.recoveryLevel, after.recoveryLevel);
  const names = [...new Set([...Object.keys(before.tags), ...Object.keys(after.tags)])].sort();
  for (const name of names) same(`tags.${name}`, own(before.tags, name), own(after.tags, name));
  return found;
}

function newness(before: KeyFacts, after: KeyFacts): VersionDifference[] {
  const found: VersionDifference[] = [];
  const differ = (attribute: 'version' | 'publicFingerprint', expected: string) => {
    const value = after[attribute];
    if (value !== undefined && value === before[attribute]) {
      found.push({ attribute, expected, found: `the same as before, ${value}`, severity: 'corrupt' });
    }
  };
  differ('version', 'a version of its own');
  differ('publicFingerprint', 'material of its own');
  return found;
}

const own = (tags: Record<string, string>, name: string): string | undefined =>
  Object.hasOwn(tags, name) ? tags[name] : undefined;

function printed(value: unknown): string {
  if (value === undefined) return NOTHING;
  return Array.isArray(value) ? value.join(', ') || NOTHING : String(value);
}
