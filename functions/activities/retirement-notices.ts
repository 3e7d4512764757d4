import type { RetirementDecision } from '../../shared/adoption/judge-retirement.ts';
import type { KeyFacts } from '../../shared/keys/key.ts';
import type { Notice } from '../../shared/notification/notice.ts';
import type { NoticeRule } from '../../shared/policy/rule.ts';
import type { ActivityInput } from '../contracts/inputs.ts';
import type { StoredRetirement } from './retirement-records.ts';

/** The notice that tells how a retirement stands. */
export function retirementNotice(
  { id, hsm, name, version, by, reason }: StoredRetirement,
  {
    at,
    told,
    facts,
    notify,
    decision,
  }: {
    at: string;
    told: ActivityInput<'describeRetirement'>['told'];
    facts: KeyFacts;
    notify: NoticeRule;
    decision: RetirementDecision | undefined;
  },
): Notice {
  const key = { hsm, name, keyType: facts.keyType, tags: facts.tags };
  const about = { at, key, notify, version, retirement: id, by };
  switch (told.kind) {
    case 'requested':
    case 'reminder': {
      const note = told.kind === 'reminder' ? `${reason} (still waiting for a decision)` : reason;
      return { kind: 'RetirementRequested', ...about, note, until: told.until };
    }
    case 'disabled':
      return {
        kind: 'KeyVersionRetired',
        ...about,
        ...(decision ? { approvedBy: decision.by } : {}),
        watchedUntil: told.watchedUntil,
      };
    case 'ended': {
      const { outcome } = told;
      if (outcome.kind === 'reenabled') return { kind: 'KeyVersionReenabled', ...about, callers: outcome.callers };
      if (outcome.kind === 'stillDisabled') {
        const message = `Calls of ${outcome.callers.join(', ')} with it are refused, and it could not be enabled again: ${outcome.why}`;
        const nextStep = 'Enable the version by hand at once, with an identity that may write keys.';
        return { kind: 'RetirementFailed', ...about, failure: { message, nextStep }, stillDisabled: true };
      }
      const failure =
        outcome.kind === 'refused'
          ? { reason: outcome.reason, message: outcome.explanation, nextStep: outcome.nextStep }
          : outcome.kind === 'failed'
            ? { message: outcome.message, nextStep: outcome.nextStep }
            : { message: 'The version is retired.', nextStep: '' };
      return { kind: 'RetirementFailed', ...about, failure };
    }
  }
}
