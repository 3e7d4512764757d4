import { keyLabel } from '../../keys/key.ts';
import type { RotateReason } from '../../rotation/decision.ts';
import type { Draft } from '../message.ts';
import type { ComposeContext, Notice } from '../notice.ts';
import { closingFacts, keyFacts, keyIdentifier, shortVersion, versionFact } from './about-key.ts';
import { differenceFacts, toldChecks } from './told-checks.ts';

const BECAUSE: Record<RotateReason, string> = {
  NearExpiry: 'It was about to expire',
  Expired: 'It had expired',
  MaximumAge: 'It had reached its maximum age',
  OperatorRequest: 'An operator asked for it',
  Compromise: 'It answers an incident: the version before may have been misused',
  Native: 'The HSM rotated it by its own rotation policy',
};

/** The HSM does not say who asked for a version, so a person cannot be ruled out. */
const NOT_BY_US =
  'This version was not made by the automation: the HSM made it by the rotation policy that it keeps for the key, or a person did. It was examined like any other.';

/** A new version counts: who made it and why, how it was proven, and who has to follow. */
export function keyRotated(notice: Extract<Notice, { kind: 'KeyRotated' }>, context: ComposeContext): Draft {
  const { key, version, previous, proof, differences } = notice;
  const proven = proof === 'proven';
  const warnings = [...new Set(notice.warnings)];
  const maker = notice.by === 'hsm' ? 'rotated by the HSM' : 'rotated';
  const made = previous === undefined ? shortVersion(version) : `${shortVersion(previous)} → ${shortVersion(version)}`;
  return {
    severity: proven && differences.length === 0 && warnings.length === 0 ? 'info' : 'attention',
    action: false,
    headline: `${keyLabel(key)} ${maker} ${proven ? 'and proven' : 'without proof'}`,
    preheader: `Version ${made}. ${BECAUSE[notice.reason]}.`,
    paragraphs: [
      `${keyLabel(key)} has a new version: ${made}. ${notice.explanation}`,
      ...(notice.by === 'hsm' ? [NOT_BY_US] : []),
      `${proven ? 'It is proven.' : 'It could not be proven.'} ${notice.proofExplanation}`,
      ...afterwards(notice),
    ],
    facts: [
      ...keyFacts(key, context),
      ...(previous === undefined ? [] : [versionFact('Old version', key, previous, context)]),
      versionFact('New version', key, version, context),
      { label: 'Reason', value: notice.reason },
      ...differenceFacts(differences),
      ...closingFacts(key, notice.at),
    ],
    checks: toldChecks(notice.checks),
    warnings,
    mustDo: [
      ...(proven ? [] : ['Try the new version with one consumer before the others rely on it.']),
      ...(differences.length === 0
        ? []
        : ['Check that your consumers can live with what differs, listed under Facts.']),
    ],
    mustDoNote: `Consumers that use the key without a version follow by themselves; those pinned to a version must be re-pointed to ${keyIdentifier(key, version, context)}`,
    ...(notice.notify.owner === undefined ? {} : { owner: notice.notify.owner }),
  };
}

function afterwards({ reason, previous }: Extract<Notice, { kind: 'KeyRotated' }>): string[] {
  if (previous === undefined) return [];
  return reason === 'Expired'
    ? [
        'The old version stays enabled: although expired it still unwraps, decrypts and verifies; to wrap, encrypt and sign is for the new version from now on.',
      ]
    : ['The old version stays enabled: what was protected with it still opens.'];
}
