import type { Draft } from '../message.ts';
import type { ComposeContext, Notice } from '../notice.ts';
import { counted, factOf, fewOf, hsmFacts, ownerOf } from './about-hsm.ts';
import { failureFacts, failureInBrief, isPassing, remedy } from './failure.ts';

const MEANWHILE = {
  sweep: 'Nobody knows whether they are due, so they may expire without being rotated.',
  reconciliation: 'A rotation policy that somebody changed on them stays unnoticed.',
  repair: 'Their rotation policies differ from the rule, and stay so.',
};

/** Names shown in one mail; the rest are counted. */
const MOST_NAMES = 100;

/** Some keys cannot be read, or their policies written, and everything else on the HSM was seen to. */
export function keysUnreadable(notice: Extract<Notice, { kind: 'KeysUnreadable' }>, context: ComposeContext): Draft {
  const { hsm, keys, failure, work = 'sweep' } = notice;
  const [only] = keys;
  const could = work === 'repair' ? 'could not be repaired' : 'could not be read';
  const which = keys.length === 1 ? `${hsm}/${only}` : `${hsm}: ${keys.length} keys`;
  return {
    severity: 'attention',
    action: !isPassing(failure),
    headline: `${which} ${could}: ${failureInBrief(failure)}`,
    preheader: failure.message,
    paragraphs: [
      `${counted(keys.length, 'key')} on ${hsm} ${could}${keys.length === 1 ? '' : '; of the first'}: ${failure.message}`,
      `${MEANWHILE[work]} All other keys of ${hsm} were seen to. While it goes on you are told once a day.`,
      `Keys: ${fewOf(keys, MOST_NAMES).join(', ')}.`,
    ],
    facts: hsmFacts(notice, context, [factOf('Keys', keys.length), ...failureFacts(failure)]),
    ...remedy(failure, hsm, context),
    ...ownerOf(notice),
  };
}
