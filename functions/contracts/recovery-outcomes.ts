import type { NoticeDue } from './outcomes.ts';
import type { AutomatedStep } from './recovery-inputs.ts';

/** What the activities of a recovery answer when nothing failed. */
export interface RecoveryActivityOutcomes {
  nextRecoveryStep:
    | { kind: 'act'; step: AutomatedStep }
    /** Nothing goes on without a person, or before `until`; the notices say who is waited for. */
    | { kind: 'wait'; for: string[]; until: string; notices: NoticeDue[] }
    | { kind: 'complete' }
    /** A rehearsal that goes no further: nobody came in time, or there is nothing to wait for. */
    | { kind: 'ended'; reason: string; explanation: string; result: 'failed' | 'skipped' };
  performRecoveryStep:
    | { kind: 'done' }
    /** The service is at work, or time has to pass. */
    | { kind: 'later'; until: string; why: string }
    /** Stored with the step; it is tried again later, or when a person says so. */
    | { kind: 'refused'; explanation: string; final?: string };
}
