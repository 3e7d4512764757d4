import type { BackupRule, DrillRule } from '../policy/hsm-rule.ts';
import { addDuration, daysBetween, toIso } from '../time.ts';
import type { BackupRecord } from './backup.ts';
import { hasReached, isGood, isPresent, newestFirst } from './catalogue.ts';

/** `unknown`: nothing is known, or nothing has been watched for long enough to be called late. */
export type FreshnessState = 'ok' | 'overdue' | 'unknown';

export interface Age {
  state: FreshnessState;
  /** The newest backup that counts, and the instant of the HSM's state in it (created, verified) or of its proof. */
  backup?: string;
  at?: string;
  /** Whole and fractional days since. */
  days?: number;
  /** ISO duration that it may last. */
  limit: string;
  /** When it becomes, or became, overdue. */
  dueBy?: string;
}

export interface Freshness {
  /** The newest backup that the service wrote. */
  created: Age;
  /** The newest one whose copy was verified: the recovery point. */
  verified: Age;
  /** When a restore was last rehearsed and passed. */
  proven: Age;
  /** One line for people: last created is shown beside last proven, because a backup that was never restored proves little. */
  summary: string;
}

export interface FreshnessInput {
  /** The HSM's entries; undefined where the catalogue could not be read. */
  records: readonly BackupRecord[] | undefined;
  rule: { backup: BackupRule; drills: DrillRule };
  /** Since when the HSM is looked after: before that, nothing was owed. */
  watchedSince: string;
  now: Date;
}

/** Ages of the newest backup, the newest verified one and the newest proof against what the rule allows. */
export function judgeFreshness({ records, rule, watchedSince, now }: FreshnessInput): Freshness {
  const { rpo } = rule.backup;
  const { proofInterval } = rule.drills;
  if (records === undefined) {
    const unknown = (limit: string): Age => ({ state: 'unknown', limit });
    const ages = { created: unknown(rpo), verified: unknown(rpo), proven: unknown(proofInterval) };
    return { ...ages, summary: 'The catalogue could not be read, so nothing is known of the backups.' };
  }
  const present = newestFirst(records.filter(isPresent));
  const created = present[0];
  const verified = present.find(isGood);
  const proofs = present
    .filter((record) => hasReached(record, 'proven') && record.doubt === undefined)
    .sort((a, b) => Date.parse(provenOn(b)) - Date.parse(provenOn(a)));
  const age = (record: BackupRecord | undefined, at: string | undefined, limit: string): Age => {
    const since = at ?? watchedSince;
    const dueBy = addDuration(new Date(since), limit);
    const overdue = now > dueBy;
    return {
      state: overdue ? 'overdue' : at === undefined ? 'unknown' : 'ok',
      limit,
      dueBy: toIso(dueBy),
      ...(record === undefined || at === undefined ? {} : { backup: record.id, at }),
      ...(at === undefined ? {} : { days: daysBetween(new Date(at), now) }),
    };
  };
  const ages = {
    created: age(created, created?.takenOn, rpo),
    verified: age(verified, verified?.takenOn, rpo),
    proven: age(proofs[0], proofs[0] && provenOn(proofs[0]), proofInterval),
  };
  return { ...ages, summary: summarise(ages) };
}

const provenOn = (record: BackupRecord): string => record.reachedOn.proven ?? record.takenOn;

function summarise({ created, verified, proven }: Omit<Freshness, 'summary'>): string {
  const told = (what: string, { at, state }: Age) =>
    at === undefined ? `never ${what}` : `last ${what} ${at}${state === 'overdue' ? ' (overdue)' : ''}`;
  const line = [told('created', created), told('verified', verified), told('proven', proven)].join(', ');
  return `${line.charAt(0).toUpperCase()}${line.slice(1)}.`;
}
