import type { Draft } from '../message.ts';
import type { ComposeContext, Notice } from '../notice.ts';
import { hsmFact } from './about-key.ts';

/** Names shown in one mail; the rest are counted. */
const MOST_NAMES = 100;

const OUTCOME = {
  repaired: {
    headline: 'rotation policies were set right',
    told: 'Each was set to what its rule asks for.',
    action: false,
  },
  told: {
    headline: 'rotation policies differ from their rules',
    told: 'They were left as they are, because the rules only tell.',
    action: true,
  },
  refused: {
    headline: 'rotation rules contradict themselves',
    told: 'Nothing was compared or changed, and these keys are not rotated until their rules are corrected.',
    action: true,
  },
} as const;

/** Many keys at once, as one mail to those who care for them. */
export function policyDriftDigest(
  { hsm, at, action, keys, notify }: Extract<Notice, { kind: 'PolicyDriftDigest' }>,
  context: ComposeContext,
): Draft {
  const outcome = OUTCOME[action];
  const rest = keys.length - MOST_NAMES;
  return {
    severity: outcome.action ? 'attention' : 'info',
    action: outcome.action,
    headline: `${hsm}: ${keys.length} ${outcome.headline}`,
    preheader: outcome.told,
    paragraphs: [
      `The rotation policies that ${hsm} holds for ${keys.length} of your keys differed from the rules of these keys. ${outcome.told}`,
      `Keys: ${keys.slice(0, MOST_NAMES).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}.`,
    ],
    facts: [
      { label: 'Installation', value: context.installation },
      hsmFact(hsm, context),
      { label: 'Keys', value: String(keys.length) },
      { label: 'At', value: at },
    ],
    mustDo: outcome.action
      ? ['Correct the rules, or the policies on the HSM, or let the rules repair them (drift: repair).']
      : [],
    ...(notify.owner === undefined ? {} : { owner: notify.owner }),
  };
}
