import { addDuration } from '../time.ts';

/** Calls of one kind that one caller made with one version; the log's own words for kind and outcome. */
export interface VersionUse {
  /** Empty where the call named no version: it followed the newest. */
  version: string;
  caller: { oid: string; app?: string; upn?: string };
  class: string;
  outcome: string;
  count: number;
  /** ISO instants of the first and the last of them. */
  first: string;
  last: string;
}

/**
 * `moved`: uses the new version, and the old one no more. `silent`: used an old version, and nothing for so long that it is
 * not waited for. `both`: uses old and new, as an application with several instances does while it moves. `old`: uses an
 * old version only.
 */
export type CallerState = 'moved' | 'silent' | 'both' | 'old';

export interface CallerAdoption {
  /** Object id; for people their name in front. Empty where the log names nobody. */
  caller: string;
  state: CallerState;
  /** Last use of an old version to protect, and which one it was. */
  lastOld: string;
  version: string;
  /** Last use of the new version to protect. */
  lastNew?: string;
}

/** Old data keeps being opened with old versions for years: this is no sign that somebody stays behind. */
export interface OldUnprotect {
  caller: string;
  version: string;
  count: number;
  last: string;
}

export type Adoption =
  | { kind: 'unknown'; explanation: string }
  | {
      kind: 'judged';
      version: string;
      since: string;
      adopted: boolean;
      explanation: string;
      /** Who used an old version to protect within the look-back; those who stay behind first. */
      callers: CallerAdoption[];
      unprotect: OldUnprotect[];
    };

export interface AdoptionInput {
  /** The newest version, and when it was made. */
  version: string;
  createdOn: string;
  /** Undefined where the logs could not be read: nothing is known then. */
  use: readonly VersionUse[] | undefined;
  /** Client ids of this app, whose proofs are no adoption. */
  own: readonly string[];
  rule: AdoptionRule;
  now: Date;
}

export interface AdoptionRule {
  /** ISO duration before the rotation from which callers are looked for. */
  lookBack: string;
  /** ISO duration after which a caller that used an old version is not waited for any more. */
  silence: string;
}

const ORDER: Record<CallerState, number> = { old: 0, both: 1, silent: 2, moved: 3 };

/** Whether everybody who protected data with an old version has moved to the new one, or has fallen silent. */
export function judgeAdoption({ version, createdOn, use, own, rule, now }: AdoptionInput): Adoption {
  if (use === undefined) {
    return { kind: 'unknown', explanation: 'The audit log could not be read, so nobody knows who uses which version.' };
  }
  const counted = use.filter(({ caller, outcome }) => outcome === 'ok' && !isOwn(caller, own));
  const isOld = (each: VersionUse) => each.version !== '' && each.version !== version;
  const protects = counted.filter(({ class: kind }) => kind === 'crypto.protect');
  const stillWaitedFor = (iso: string) => addDuration(new Date(iso), rule.silence) > now;
  const callers = [...groupBy(protects, nameOf)].flatMap(([caller, calls]): CallerAdoption[] => {
    const latest = latestOf(calls.filter(isOld));
    if (!latest) return [];
    const born = ms(createdOn);
    const fresh = calls.filter((each) => !isOld(each) && ms(each.last) >= born);
    const firstNew = Math.min(...fresh.map(({ first }) => Math.max(ms(first), born)));
    const lastNew = latestOf(fresh)?.last;
    const moved = ms(latest.last) < firstNew && lastNew !== undefined;
    const waited = stillWaitedFor(latest.last);
    const state = moved ? 'moved' : lastNew === undefined ? (waited ? 'old' : 'silent') : waited ? 'both' : 'moved';
    return [
      { caller, state, lastOld: latest.last, version: latest.version, ...(lastNew === undefined ? {} : { lastNew }) },
    ];
  });
  callers.sort((a, b) => ORDER[a.state] - ORDER[b.state] || ms(b.lastOld) - ms(a.lastOld));
  const behind = callers.filter(({ state }) => state === 'old' || state === 'both').length;
  // Nobody seen yet may be nobody, or a log that lags: the silence has to pass before it counts.
  const early = callers.length === 0 && stillWaitedFor(createdOn);
  return {
    kind: 'judged',
    version,
    since: createdOn,
    adopted: behind === 0 && !early,
    explanation: explain(behind, callers.length, early, rule),
    callers,
    unprotect: oldUnprotect(counted.filter(isOld)),
  };
}

function explain(behind: number, callers: number, early: boolean, { silence }: AdoptionRule): string {
  if (behind > 0) return `${behind} of ${callers} callers still protect with an old version.`;
  if (early)
    return `Nobody was seen to use an old version; that counts once ${silence} have passed since the rotation.`;
  if (callers === 0) return 'Nobody used an old version within the look-back.';
  return `All ${callers} callers have moved to the new version, or have fallen silent.`;
}

const oldUnprotect = (calls: readonly VersionUse[]): OldUnprotect[] =>
  [
    ...groupBy(
      calls.filter(({ class: kind }) => kind === 'crypto.unprotect'),
      (each) => `${nameOf(each)} ${each.version}`,
    ).values(),
  ]
    .flatMap((group) => {
      const latest = latestOf(group);
      const count = group.reduce((sum, each) => sum + each.count, 0);
      return latest ? [{ caller: nameOf(latest), version: latest.version, count, last: latest.last }] : [];
    })
    .sort((a, b) => ms(b.last) - ms(a.last));

export const isOwn = ({ app, oid }: VersionUse['caller'], own: readonly string[]): boolean =>
  own.some((id) => id.toLowerCase() === (app ?? oid).toLowerCase());

/** Untrusted text of a log: shown as it is, cut. */
export function nameOf({ caller: { oid, app, upn } }: Pick<VersionUse, 'caller'>): string {
  const id = oid === '' ? (app === undefined ? '' : `app ${app}`) : oid;
  return (upn === undefined ? id : `${upn} (${id})`).slice(0, 200);
}

const ms = (iso: string): number => Date.parse(iso);

const latestOf = (calls: readonly VersionUse[]): VersionUse | undefined =>
  calls.reduce<VersionUse | undefined>(
    (best, each) => (best === undefined || ms(each.last) > ms(best.last) ? each : best),
    undefined,
  );

function groupBy<T>(items: readonly T[], nameOfItem: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(nameOfItem(item), [...(groups.get(nameOfItem(item)) ?? []), item]);
  return groups;
}
