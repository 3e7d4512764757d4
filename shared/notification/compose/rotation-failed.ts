import { keyLabel } from '../../keys/key.ts';
import type { Draft } from '../message.ts';
import type { ComposeContext, Notice } from '../notice.ts';
import { closingFacts, keyFacts, versionFact } from './about-key.ts';
import { failureFacts, failureInBrief, isPassing, remedy } from './failure.ts';

/** Asking again did not cure it. The version is the one that was looked at last: it may be the new one already. */
export function rotationFailed(notice: Extract<Notice, { kind: 'RotationFailed' }>, context: ComposeContext): Draft {
  const { key, version, failure } = notice;
  return {
    severity: 'attention',
    action: !isPassing(failure),
    headline: `${keyLabel(key)} rotation did not finish: ${failureInBrief(failure)}`,
    preheader: failure.message,
    paragraphs: [
      `The rotation of ${keyLabel(key)} did not finish. ${failure.message}`,
      'Every version that was there is still there and enabled; one that was made meanwhile is found and proven by the next sweep. While it goes on failing you are told once a day.',
    ],
    facts: [
      ...keyFacts(key, context),
      versionFact('Version', key, version, context),
      ...failureFacts(failure),
      ...closingFacts(key, notice.at),
    ],
    ...remedy(failure, key.hsm, context),
    ...(notice.notify.owner === undefined ? {} : { owner: notice.notify.owner }),
  };
}
