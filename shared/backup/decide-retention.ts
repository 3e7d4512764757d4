import type { RetentionRule } from '../policy/hsm-rule.ts';
import { DAY_MS } from '../time.ts';
import { wallClock } from '../time-zone.ts';
import type { BackupRecord } from './backup.ts';
import { hasReached, isGood, isPresent, newestFirst, whyAbsent } from './catalogue.ts';

/**
 * Why a backup is kept. `Locked`: its lock has not ended. `LastProven`: the newest that a drill proved. `Only`: the newest good
 * one. `Unfinished`: newer than every good one, so it may still become one.
 */
export type KeepRule =
  | 'last'
  | 'daily'
  | 'weekly'
  | 'monthly'
  | 'yearly'
  | 'Locked'
  | 'LastProven'
  | 'Only'
  | 'Unfinished';

export interface Retention {
  /** Newest first, each with every rule that keeps it. */
  keep: { id: string; takenOn: string; rules: KeepRule[] }[];
  /** Newest first: what goes, and why nothing keeps it. */
  prune: { id: string; takenOn: string; explanation: string }[];
}

/**
 * Which backups of one HSM are kept, and which may go. A dry run is this same function, because it does nothing. Only good
 * backups take the places of the rule: one that was never verified, or that a drill found wanting, pushes no good one out.
 * What is being removed is removed to its end, because nobody knows whether it is whole.
 */
export function decideRetention(
  records: readonly BackupRecord[],
  rule: RetentionRule,
  timeZone: string,
  now: Date,
): Retention {
  const left = newestFirst(records.filter(({ prunedOn }) => prunedOn === undefined));
  const present = left.filter(isPresent);
  const good = present.filter(isGood);
  const rules = new Map<string, KeepRule[]>();
  const keep = (why: KeepRule, kept: readonly BackupRecord[]) => {
    for (const { id } of kept) rules.set(id, [...(rules.get(id) ?? []), why]);
  };
  keep('last', good.slice(0, rule.last));
  for (const [why, period] of PERIODS)
    keep(
      why,
      newestOfEach(good, (wall) => period(wall), timeZone, rule[why]),
    );
  keep(
    'Locked',
    present.filter((record) => isLocked(record, now)),
  );
  keep('LastProven', good.filter((record) => hasReached(record, 'proven')).slice(0, 1));
  // With nothing good at all, the newest one that there is may be all that a recovery has.
  keep('Only', (good.length > 0 ? good : present).slice(0, 1));
  keep(
    'Unfinished',
    present.filter((record) => isUnfinished(record, good[0])),
  );
  return {
    keep: present.flatMap(({ id, takenOn }) => {
      const why = rules.get(id);
      return why === undefined ? [] : [{ id, takenOn, rules: why }];
    }),
    prune: left
      .filter(({ id }) => !rules.has(id))
      .map((record) => ({ id: record.id, takenOn: record.takenOn, explanation: explainPrune(record) })),
  };
}

type Period = 'daily' | 'weekly' | 'monthly' | 'yearly';

/** Each period as a text that is the same for all instants within it; weeks begin on Monday. */
const PERIODS: readonly [Period, (wall: Date) => string][] = [
  ['daily', (wall) => wall.toISOString().slice(0, 10)],
  ['weekly', (wall) => String(Math.floor((wall.getTime() / DAY_MS + 3) / 7))],
  ['monthly', (wall) => wall.toISOString().slice(0, 7)],
  ['yearly', (wall) => wall.toISOString().slice(0, 4)],
];

/** The newest of each of the last `count` periods that have any; records come newest first. */
function newestOfEach(
  records: readonly BackupRecord[],
  period: (wall: Date) => string,
  timeZone: string,
  count: number,
): BackupRecord[] {
  const newest = new Map<string, BackupRecord>();
  for (const record of records) {
    const name = period(wallClock(new Date(record.takenOn), timeZone));
    if (newest.has(name)) continue;
    if (newest.size >= count) break;
    newest.set(name, record);
  }
  return [...newest.values()];
}

const isLocked = ({ lockedUntil }: BackupRecord, now: Date): boolean =>
  lockedUntil !== undefined && Date.parse(lockedUntil) > now.getTime();

const isUnfinished = (record: BackupRecord, newestGood: BackupRecord | undefined): boolean =>
  record.state === 'landed' &&
  (newestGood === undefined || Date.parse(record.takenOn) > Date.parse(newestGood.takenOn));

function explainPrune(record: BackupRecord): string {
  if (!isPresent(record)) return `It ${whyAbsent(record)}.`;
  if (record.doubt !== undefined) return `Drill ${record.doubt.drill} found it wanting: ${record.doubt.reason}`;
  if (record.state === 'landed') return 'It was never verified, and a newer backup is.';
  return 'No rule of the retention keeps it.';
}
