import type { BackupRule } from '../policy/hsm-rule.ts';
import { addDuration, toIso } from '../time.ts';
import { type BackupAttempt, type BackupRecord, backupInstanceId } from './backup.ts';
import { isGood, isPresent, newestFirst } from './catalogue.ts';
import { slotAfter, slotAtOrBefore, slotsBetween } from './schedule.ts';

export interface BackupInput {
  hsm: string;
  rule: BackupRule;
  /** The HSM's entries of the catalogue. */
  records: readonly BackupRecord[];
  /** Attempts that are running or ended lately, so that a failed one is not forgotten. */
  attempts: readonly BackupAttempt[];
  /** Whoever holds the HSM's lock: one full backup or restore at a time. */
  lock?: { operation: string; holder: string };
  /** A person asks, whatever the schedule says. */
  request?: { id: string; by: string; note: string };
  now: Date;
}

/** Public: shown, sent and stored. Adding is free, renaming is a migration. */
export type BackupReason = 'Scheduled' | 'CatchUp' | 'FirstBackup' | 'Retry' | 'OperatorRequest';

/** How the newest good backup stands against the recovery point objective. */
export type RpoState = 'met' | 'breached' | 'neverMet';

export type BackupDecision = { rpo: RpoState } & (
  | {
      kind: 'start';
      reason: BackupReason;
      /** The slot that it answers; absent for an operator's request. */
      scheduledFor?: string;
      attempt: number;
      /** Slots that passed without a backup; all of them are answered by this one. */
      missed: number;
      /** Instance id of the orchestration: the same for every repeat of this decision. */
      instance: string;
      explanation: string;
    }
  /** One runs already, and answers this slot as well. */
  | { kind: 'join'; holder: string; explanation: string }
  | { kind: 'keep'; reason: 'NotDue' | 'ScheduleOff' | 'NotYetStarted'; nextOn?: string; explanation: string }
  /** Not now; the next look asks again. */
  | { kind: 'deferred'; reason: 'HsmBusy' | 'WaitingToRetry'; until?: string; explanation: string }
  | { kind: 'refused'; reason: 'HsmBusy' | 'RetriesSpent'; explanation: string; nextStep: string }
);

/**
 * Whether to take a full backup now. Slots that were missed are caught up by one backup, one that runs answers every slot that
 * passes meanwhile, and a failed one is tried again as the rule says, then left to a person and to the next slot.
 */
export function decideBackup(input: BackupInput): BackupDecision {
  const { hsm, rule, request, now } = input;
  const rpo = rpoState(input.records, rule, now);
  const running = runningBackup(input);
  if (running !== undefined) {
    return { rpo, kind: 'join', holder: running, explanation: `A backup of ${hsm} is running already: ${running}.` };
  }
  if (request !== undefined) return decideRequest(input, request, rpo);
  if (rule.mode === 'off') {
    const explanation = `The rule of ${hsm} takes backups only when a person asks.`;
    return { rpo, kind: 'keep', reason: 'ScheduleOff', explanation };
  }
  return { rpo, ...decideSlot(input) };
}

/** `neverMet`: there is no good backup at all. */
export function rpoState(records: readonly BackupRecord[], { rpo }: BackupRule, now: Date): RpoState {
  const newest = newestFirst(records).find(isGood);
  if (newest === undefined) return 'neverMet';
  return addDuration(new Date(newest.takenOn), rpo) < now ? 'breached' : 'met';
}

type WithoutRpo<T> = T extends unknown ? Omit<T, 'rpo'> : never;

function decideRequest(
  { hsm, lock }: BackupInput,
  request: { id: string; by: string; note: string },
  rpo: RpoState,
): BackupDecision {
  if (lock !== undefined) {
    return {
      rpo,
      kind: 'refused',
      reason: 'HsmBusy',
      explanation: `${hsm} is locked by ${lock.holder} for ${lock.operation}.`,
      nextStep: 'Wait until it has finished, then ask again.',
    };
  }
  return {
    rpo,
    kind: 'start',
    reason: 'OperatorRequest',
    attempt: 1,
    missed: 0,
    instance: backupInstanceId(hsm, `request-${request.id}`),
    explanation: `${request.by} asked for it: ${request.note}`,
  };
}

function decideSlot(input: BackupInput): WithoutRpo<BackupDecision> {
  const { hsm, rule, records, lock, now } = input;
  const { schedule } = rule;
  const newest = newestFirst(records).find((record) => record.doubt === undefined && isPresent(record));
  const slot = slotAtOrBefore(schedule, now);
  const nextOn = toIso(slotAfter(schedule, now));
  if (slot === undefined) {
    const explanation = `The schedule starts with ${nextOn}.`;
    return { kind: 'keep', reason: 'NotYetStarted', nextOn, explanation };
  }
  if (newest !== undefined && Date.parse(coveredUntil(newest)) >= slot.getTime()) {
    const explanation = `Backup ${newest.id} answers the slot of ${toIso(slot)}; the next is ${nextOn}.`;
    return { kind: 'keep', reason: 'NotDue', nextOn, explanation };
  }
  if (lock !== undefined) {
    const explanation = `${hsm} is locked by ${lock.holder} for ${lock.operation}.`;
    return { kind: 'deferred', reason: 'HsmBusy', explanation };
  }
  const failed = failuresSince(input, slot);
  const last = failed.at(-1);
  if (last !== undefined && failed.length > rule.retries) {
    return {
      kind: 'refused',
      reason: 'RetriesSpent',
      explanation: `The backup due on ${toIso(slot)} failed ${failed.length} times; the next slot is ${nextOn}.`,
      nextStep: 'Clear up why it fails, then ask for a backup.',
    };
  }
  const until = last === undefined ? undefined : addDuration(new Date(last.endedOn ?? last.startedOn), rule.retryAfter);
  if (until !== undefined && until > now) {
    const explanation = `The last attempt failed; it is tried again from ${toIso(until)}.`;
    return { kind: 'deferred', reason: 'WaitingToRetry', until: toIso(until), explanation };
  }
  return start(hsm, schedule, slot, newest, failed.length + 1);
}

function start(
  hsm: string,
  schedule: BackupRule['schedule'],
  slot: Date,
  newest: BackupRecord | undefined,
  attempt: number,
): WithoutRpo<BackupDecision> {
  const scheduledFor = toIso(slot);
  const missed = newest === undefined ? 0 : slotsBetween(schedule, new Date(coveredUntil(newest)), slot);
  const reason = attempt > 1 ? 'Retry' : newest === undefined ? 'FirstBackup' : missed > 0 ? 'CatchUp' : 'Scheduled';
  const because: Record<Exclude<BackupReason, 'OperatorRequest'>, string> = {
    Retry: `The backup due on ${scheduledFor} failed before; this is attempt ${attempt}.`,
    FirstBackup: `${hsm} has no backup yet.`,
    CatchUp: `${missed === 1 ? 'One slot' : `${missed} slots`} before that of ${scheduledFor} passed without a backup; this one answers all.`,
    Scheduled: `A backup was due on ${scheduledFor}.`,
  };
  return {
    kind: 'start',
    reason,
    scheduledFor,
    attempt,
    missed,
    instance: backupInstanceId(hsm, scheduledFor, attempt),
    explanation: because[reason],
  };
}

/** A backup answers every slot up to the state that it holds, whatever it was taken for. */
const coveredUntil = ({ scheduledFor, takenOn }: BackupRecord): string =>
  scheduledFor !== undefined && Date.parse(scheduledFor) > Date.parse(takenOn) ? scheduledFor : takenOn;

function runningBackup({ attempts, lock }: BackupInput): string | undefined {
  if (lock?.operation === 'backup') return lock.holder;
  const running = attempts.find(({ result }) => result === 'running');
  return running && `job ${running.jobId ?? 'not named yet'}, since ${running.startedOn}`;
}

const failuresSince = ({ attempts }: BackupInput, slot: Date): BackupAttempt[] =>
  attempts
    .filter(({ result, scheduledFor }) => result === 'failed' && scheduledFor !== undefined)
    .filter(({ scheduledFor }) => Date.parse(scheduledFor ?? '') === slot.getTime())
    .sort((a, b) => Date.parse(a.endedOn ?? a.startedOn) - Date.parse(b.endedOn ?? b.startedOn));
