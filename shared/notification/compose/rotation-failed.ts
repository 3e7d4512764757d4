import { keyLabel } from '../../keys/key.ts';
import type { Draft } from '../message.ts';
import type { ComposeContext, Notice } from '../notice.ts';
import { closingFacts, keyFacts, versionFacts } from './about-key.ts';
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
      'Every version that consumers use stays as it was. The next sweep tries again; while it goes on failing you are told once a day.',
    ],
    facts: [
      ...keyFacts(key, context),
      ...versionFacts('Version', key, version, context),
      ...failureFacts(failure),
      ...closingFacts(key, notice.at),
    ],
    ...remedy(failure, key.hsm, context),
    ...(notice.notify.owner === undefined ? {} : { owner: notice.notify.owner }),
  };
}
