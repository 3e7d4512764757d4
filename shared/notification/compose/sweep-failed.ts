import type { Draft } from '../message.ts';
import type { ComposeContext, Notice } from '../notice.ts';
import { hsmFact } from './about-key.ts';
import { failureFacts, failureInBrief, remedy } from './failure.ts';

const SWEEP = (hsm: string) => ({
  headline: `${hsm} could not be swept`,
  found: `The expiry sweep of ${hsm} did not finish.`,
  meanwhile: 'Keys that are due on this HSM may stay unrotated until a sweep succeeds.',
});

const RECONCILIATION = (hsm: string) => ({
  headline: `${hsm}: rotation policies could not be compared`,
  found: `The comparison of the rotation policies on ${hsm} with the policy document did not finish.`,
  meanwhile: 'A policy that was changed on this HSM may stay unnoticed until a comparison succeeds.',
});

const DETECTION = (hsm: string) => ({
  headline: `${hsm}: detection is blind`,
  found: `The audit log of ${hsm} could not be judged three times in a row.`,
  meanwhile: 'Misuse of this HSM stays unnoticed until a cycle succeeds; what was logged meanwhile is judged then.',
});

const WORDS = { sweep: SWEEP, reconciliation: RECONCILIATION, detection: DETECTION };

/** While an HSM cannot be swept, no key on it is rotated or even seen: that concerns everybody on it. */
export function sweepFailed(notice: Extract<Notice, { kind: 'SweepFailed' }>, context: ComposeContext): Draft {
  const { hsm, failure, work = 'sweep' } = notice;
  const { headline, found, meanwhile } = WORDS[work](hsm);
  return {
    severity: 'critical',
    action: true,
    headline: `${headline}: ${failureInBrief(failure)}`,
    preheader: failure.message,
    paragraphs: [
      `${found} ${failure.message}`,
      `${meanwhile} The next one tries again; while it goes on failing you are told once a day.`,
    ],
    facts: [
      { label: 'Installation', value: context.installation },
      hsmFact(hsm, context),
      ...failureFacts(failure),
      { label: 'At', value: notice.at },
    ],
    ...remedy(failure, hsm, context),
  };
}
