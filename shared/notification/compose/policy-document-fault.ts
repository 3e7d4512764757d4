import type { Draft } from '../message.ts';
import type { ComposeContext, Notice } from '../notice.ts';

/** The newest policy document cannot be used: every fault at once, so that one correction is enough. */
export function policyDocumentFault(
  notice: Extract<Notice, { kind: 'PolicyDocumentFault' }>,
  context: ComposeContext,
): Draft {
  const { faults, inForce, rejectedVersion } = notice;
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  const stays = whatHolds(notice);
  return {
    severity: 'attention',
    action: true,
    headline: `policy document rejected: ${count}`,
    preheader: stays,
    paragraphs: [
      `The policy document ${inForce === rejectedVersion ? '' : 'was changed and cannot be used: it '}has ${count}.`,
      stays,
    ],
    facts: [
      ...faults.map(({ path, rule, got, example }, index) => ({
        label: faults.length === 1 ? 'Fault' : `Fault ${index + 1}`,
        value: `${path === '' ? 'The document' : path} ${rule}. Got: ${got}. Example: ${example}`,
      })),
      { label: 'Installation', value: context.installation },
      { label: 'Rejected', value: rejectedVersion },
      { label: 'In force', value: inForce },
      { label: 'At', value: notice.at },
    ],
    mustDo: [
      `Correct ${faults.length === 1 ? 'the fault' : 'every fault'} listed under Facts and save the document again.`,
    ],
  };
}

function whatHolds({ inForce, rejectedVersion }: Extract<Notice, { kind: 'PolicyDocumentFault' }>): string {
  if (inForce === 'built in') return 'No earlier document was good, so the built-in rules are in force.';
  if (inForce === rejectedVersion) {
    return 'An earlier release, or other settings, took it for good, so it stays in force until it is corrected.';
  }
  return 'The last good document stays in force, so no key is treated otherwise than before.';
}

/** Somebody removed the document, and nobody would notice, because what it said still holds. */
export function policyDocumentMissing(
  { at, inForce }: Extract<Notice, { kind: 'PolicyDocumentMissing' }>,
  context: ComposeContext,
): Draft {
  return {
    severity: 'attention',
    action: true,
    headline: 'policy document is gone',
    preheader: 'The last good document stays in force.',
    paragraphs: [
      'There was a policy document, and there is none now. The last good one stays in force, so no key is treated otherwise than before.',
      'You are told this once, and once a year while it lasts.',
    ],
    facts: [
      { label: 'Installation', value: context.installation },
      { label: 'In force', value: inForce },
      { label: 'At', value: at },
    ],
    mustDo: ['Put the document back where it was; GET /api/policy shows what is in force. Find out who removed it.'],
  };
}
