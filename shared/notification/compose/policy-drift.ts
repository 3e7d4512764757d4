import { keyLabel } from '../../keys/key.ts';
import type { Draft } from '../message.ts';
import type { ComposeContext, Notice } from '../notice.ts';
import { closingFacts, keyFacts } from './about-key.ts';

type PolicyDrift = Extract<Notice, { kind: 'PolicyDrift' }>;

/** The rotation policy on the HSM is not what the rule asks for, or the rule itself asks for what cannot be. */
export function policyDrift(notice: PolicyDrift, context: ComposeContext): Draft {
  const { key, action, differences, refusal } = notice;
  return {
    ...wording(notice),
    facts: [
      ...keyFacts(key, context),
      ...differences.map(({ attribute, expected, found }) => ({
        label: attribute,
        value: `found ${found ?? 'none'}, expected ${expected ?? 'none'}`,
      })),
      { label: 'Outcome', value: OUTCOME[action] },
      ...(refusal === undefined ? [] : [{ label: 'Reason', value: refusal.reason }]),
      ...closingFacts(key, notice.at),
    ],
    ...(notice.notify.owner === undefined ? {} : { owner: notice.notify.owner }),
  };
}

const OUTCOME = {
  repaired: 'repaired: the HSM now holds what was expected',
  told: 'left as it is, because the rule only tells (drift: tell)',
  refused: 'nothing was compared or changed',
} as const;

function wording({ key, action, refusal }: PolicyDrift): Omit<Draft, 'facts'> {
  const label = keyLabel(key);
  switch (action) {
    case 'repaired':
      return {
        severity: 'info',
        action: false,
        headline: `${label} rotation policy was set right`,
        preheader: 'The policy on the HSM differed from the rule of the key, and was repaired.',
        paragraphs: [
          `The rotation policy that the HSM holds for ${label} differed from the rule of the key. It was set to what the rule asks for.`,
          'If somebody changed it on purpose, the rule is the place to say so: otherwise it is set right again.',
        ],
        mustDo: [],
      };
    case 'told':
      return {
        severity: 'attention',
        action: true,
        headline: `${label} rotation policy differs from its rule`,
        preheader: 'The policy on the HSM differs from the rule of the key, and was left as it is.',
        paragraphs: [
          `The rotation policy that the HSM holds for ${label} differs from the rule of the key. It was left as it is, because the rule only tells.`,
          'While it differs you are told again once a week.',
        ],
        mustDo: [
          'Set the policy on the HSM to what is expected, change the rule, or let the rule repair it (drift: repair).',
        ],
      };
    case 'refused':
      return {
        severity: 'attention',
        action: true,
        headline: `${label} rotation rule contradicts itself`,
        preheader: refusal?.explanation ?? 'The rule of the key cannot be followed.',
        paragraphs: [
          refusal?.explanation ?? `The rule of ${label} cannot be followed.`,
          'Nothing was compared or changed, and the key is not rotated until the rule is corrected.',
        ],
        mustDo: [refusal?.nextStep ?? 'Correct the rule of the key in the policy document or in its tags.'],
      };
  }
}
