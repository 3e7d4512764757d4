import { keyLabel } from '../../keys/key.ts';
import type { Draft } from '../message.ts';
import type { ComposeContext, Notice } from '../notice.ts';
import { closingFacts, EXPIRED_VERSION, keyFacts, versionFact } from './about-key.ts';

/** A person has to renew it: its material comes from outside the HSM, or its rule says so. */
export function rotationReminder(
  notice: Extract<Notice, { kind: 'RotationReminder' }>,
  context: ComposeContext,
): Draft {
  const { key, version, expired, reminder } = notice;
  return {
    severity: expired ? 'critical' : 'attention',
    action: true,
    headline: `${keyLabel(key)} ${expired ? 'has expired and ' : ''}must be rotated by hand`,
    preheader: reminder.explanation,
    paragraphs: [
      reminder.explanation,
      reminder.reason === 'ImportedKey'
        ? 'Its material comes from outside the HSM: a version that the HSM made would be one that nobody else holds. So it is left to you.'
        : 'Its rule leaves the rotation to you.',
      ...(expired ? [EXPIRED_VERSION] : []),
      'Until it has a new version you are told again once a week.',
    ],
    facts: [
      ...keyFacts(key, context),
      versionFact('Version', key, version, context),
      { label: 'Reason', value: reminder.reason },
      ...closingFacts(key, notice.at),
    ],
    mustDo: [reminder.nextStep],
    ...(notice.notify.owner === undefined ? {} : { owner: notice.notify.owner }),
  };
}
