import { keyLabel } from '../../keys/key.ts';
import type { Draft } from '../message.ts';
import type { ComposeContext, Notice } from '../notice.ts';
import { closingFacts, keyFacts, keyIdentifier, shortVersion, versionFact } from './about-key.ts';
import { differenceFacts, toldChecks } from './told-checks.ts';

/** A new version exists that nobody should use. It cannot be taken back, so consumers have to stay away from it. */
export function rotationNotCounted(
  notice: Extract<Notice, { kind: 'RotationNotCounted' }>,
  context: ComposeContext,
): Draft {
  const { key, version, previous, refusal } = notice;
  const fault = refusal.reason === 'CorruptVersion' ? 'is incomplete' : 'is not proven';
  return {
    severity: 'critical',
    action: true,
    headline: `${keyLabel(key)} new version ${fault}`,
    preheader: refusal.explanation,
    paragraphs: [
      `${keyLabel(key)} was rotated, but its new version ${shortVersion(version)} ${fault} and does not count. ${refusal.explanation}`,
      'The HSM cannot take a version back: consumers that use the key without a version may use this one already.',
    ],
    facts: [
      ...keyFacts(key, context),
      ...(previous === undefined ? [] : [versionFact('Old version', key, previous, context)]),
      versionFact('New version', key, version, context),
      { label: 'Reason', value: refusal.reason },
      ...differenceFacts(notice.differences),
      ...closingFacts(key, notice.at),
    ],
    checks: toldChecks(notice.checks),
    mustDo: [refusal.nextStep],
    ...(previous === undefined
      ? {}
      : { mustDoNote: `Until then pin consumers to the previous version, ${keyIdentifier(key, previous, context)}` }),
    ...(notice.notify.owner === undefined ? {} : { owner: notice.notify.owner }),
  };
}
