import type { Draft } from '../message.ts';
import type { ComposeContext, Notice } from '../notice.ts';
import { hsmFact, instant } from './about-key.ts';
import { failureFacts, failureInBrief, remedy } from './failure.ts';

/** While an HSM cannot be swept, no key on it is rotated or even seen: that concerns everybody on it. */
export function sweepFailed(notice: Extract<Notice, { kind: 'SweepFailed' }>, context: ComposeContext): Draft {
  const { hsm, failure } = notice;
  return {
    severity: 'critical',
    action: true,
    headline: `${hsm} could not be swept: ${failureInBrief(failure)}`,
    preheader: failure.message,
    paragraphs: [
      `The expiry sweep of ${hsm} did not finish. ${failure.message}`,
      'Keys that are due on this HSM may stay unrotated until a sweep succeeds. The next one tries again; while it goes on failing you are told once a day.',
    ],
    facts: [
      { label: 'Installation', value: context.installation },
      hsmFact(hsm, context),
      ...failureFacts(failure),
      { label: 'At', value: instant(notice.at) },
    ],
    ...remedy(failure, hsm, context),
  };
}
