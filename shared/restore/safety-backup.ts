import type { RecoveryRule } from '../policy/hsm-rule.ts';
import { toIso } from '../time.ts';

/**
 * The service wants a full backup of the target before a restore, and documents its age in two ways; how it says no is not
 * documented at all. So these answers are states to wait out, never failures. `refused` is one whose words are not known:
 * leave it out where it plainly speaks of something else.
 * https://learn.microsoft.com/azure/key-vault/managed-hsm/backup-restore
 */
export type SafetyAnswer = 'tooSoon' | 'tooLate' | 'refused';

export interface SafetyInput {
  rule: RecoveryRule['thirtyMinuteRule'];
  /** When the newest full backup of the target completed; absent: none, or none that is known. */
  completedOn?: string;
  /** What the service said about it so far, in order; answers about earlier safety backups included. */
  answers: readonly { answer: SafetyAnswer; completedOn: string; at: string }[];
  now: Date;
}

export type SafetyDecision =
  | { kind: 'take'; reason: 'SafetyBackupMissing' | 'SafetyBackupTooOld'; explanation: string }
  | { kind: 'wait'; reason: 'SafetyBackupTooYoung' | 'SafetyAnswerUnclear'; until: string; explanation: string }
  | { kind: 'try'; explanation: string }
  | { kind: 'refused'; reason: 'SafetyRuleUnclear'; explanation: string; nextStep: string };

const HALF_AN_HOUR = 30 * 60_000;
/** Clocks differ, and a backup that is 30 minutes old to the second may be refused again. */
const MARGIN = 60_000;
/** Answers that contradict each other so often are for a person to read. */
const MOST_ANSWERS = 6;

/**
 * What to do about the safety backup next. `ask` takes one, tries at once, and follows the answer; `atLeast` waits 30 minutes
 * first; `within` takes a new one once the last is 30 minutes old.
 */
export function decideSafety({ rule, completedOn, answers, now }: SafetyInput): SafetyDecision {
  if (answers.length >= MOST_ANSWERS) {
    const told = answers.map(({ answer }) => answer).join(', ');
    return {
      kind: 'refused',
      reason: 'SafetyRuleUnclear',
      explanation: `The service refused the restore ${answers.length} times over the age of the safety backup: ${told}.`,
      nextStep:
        'Read the answers in the journal, set recovery.thirtyMinuteRule to the reading that fits them, and start the restore again.',
    };
  }
  if (completedOn === undefined) {
    const explanation = 'The target has no full backup of its own that could be gone back to.';
    return { kind: 'take', reason: 'SafetyBackupMissing', explanation };
  }
  const completed = Date.parse(completedOn);
  const age = now.getTime() - completed;
  const last = answers.at(-1);
  const current = last !== undefined && Date.parse(last.completedOn) === completed ? last : undefined;
  const reading = current?.answer === 'tooSoon' ? 'atLeast' : current?.answer === 'tooLate' ? 'within' : rule;
  if (current?.answer === 'tooLate' || (reading === 'within' && age > HALF_AN_HOUR)) {
    const explanation = `The safety backup of ${completedOn} is too old for the service.`;
    return { kind: 'take', reason: 'SafetyBackupTooOld', explanation };
  }
  if (reading === 'atLeast' && age < HALF_AN_HOUR) {
    const until = toIso(new Date(completed + HALF_AN_HOUR + MARGIN));
    const explanation = `The safety backup of ${completedOn} must be 30 minutes old; the restore goes on at ${until}.`;
    return { kind: 'wait', reason: 'SafetyBackupTooYoung', until, explanation };
  }
  const since = current === undefined ? 0 : now.getTime() - Date.parse(current.at);
  if (current !== undefined && since < UNCLEAR_PAUSE) {
    const until = toIso(new Date(Date.parse(current.at) + UNCLEAR_PAUSE));
    const explanation = `The service refused the safety backup of ${completedOn}; the restore is tried again at ${until}.`;
    return { kind: 'wait', reason: 'SafetyAnswerUnclear', until, explanation };
  }
  return { kind: 'try', explanation: `The safety backup of ${completedOn} is there.` };
}

const UNCLEAR_PAUSE = 10 * 60_000;
