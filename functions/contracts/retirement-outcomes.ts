import type { RetirementRefused, RetirementVerdict } from '../../shared/adoption/judge-retirement.ts';
import type { Notice } from '../../shared/notification/notice.ts';
import type { Failed } from './outcomes.ts';

export type RetirementOutcome =
  /** `watched`: the log was read at the end of the watch, and nobody had missed the version. */
  | { kind: 'retired'; disabledOn: string; watchedUntil: string; watched: boolean }
  /** Somebody missed it, so it was enabled again. */
  | { kind: 'reenabled'; disabledOn: string; callers: string[] }
  /** Somebody missed it, and it could not be enabled again: a person has to, at once. */
  | { kind: 'stillDisabled'; disabledOn: string; callers: string[]; why: string }
  | RetirementRefused
  | Failed;

export interface RetirementActivityOutcomes {
  judgeRetirement: RetirementVerdict;
  disableKeyVersion: { kind: 'disabled'; at: string; watchedUntil: string } | RetirementRefused;
  lookForMissed: { kind: 'quiet' } | { kind: 'unknown' } | { kind: 'missed'; callers: string[] };
  enableKeyVersion: { kind: 'enabled' };
  endRetirement: { kind: 'ended' };
  describeRetirement: { kind: 'described'; id: string; notice: Notice; repeatAfter: string };
}
