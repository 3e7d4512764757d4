import { keyLabel } from '../../keys/key.ts';
import type { RefusalReason } from '../../rotation/decision.ts';
import type { Draft } from '../message.ts';
import type { ComposeContext, Notice } from '../notice.ts';
import { closingFacts, EXPIRED_VERSION, keyFacts, versionFact } from './about-key.ts';

/** What stands in the way, after `is due and …`. */
const WHY: Record<RefusalReason, string> = {
  KeyDisabled: 'disabled',
  HeldByTag: 'held',
  ImportedKey: 'holds imported material',
  RemindOnly: 'is only reminded of',
  RotationPolicyMissing: 'has no rotation policy on the HSM',
  RotationPolicyOutOfLimits: 'its rotation policy cannot be used',
  VersionBudgetSpent: 'has no version left',
  RotatedTooOften: 'was rotated too often',
  CadenceCannotLast: 'its versions cannot last',
  OutsideWindow: 'no maintenance window follows',
  InBlackout: 'its blackouts never end',
  CorruptVersion: 'its new version is incomplete',
  NotProven: 'its new version is not proven',
};

/** A person said so, knowing the key: nothing is asked of anybody, it is only not forgotten. */
const BY_A_PERSON: ReadonlySet<RefusalReason> = new Set(['KeyDisabled', 'HeldByTag']);

/** It is due and was not rotated: what stands in the way, and what a person can do. */
export function rotationRefused(notice: Extract<Notice, { kind: 'RotationRefused' }>, context: ComposeContext): Draft {
  const { key, version, expired, refusal } = notice;
  const stated = BY_A_PERSON.has(refusal.reason);
  const state = expired ? 'has expired' : 'is due';
  return {
    severity: expired && !stated ? 'critical' : 'attention',
    action: !stated,
    headline: `${keyLabel(key)} ${state} and ${expired && stated ? 'is ' : ''}${WHY[refusal.reason]}`,
    preheader: refusal.explanation,
    paragraphs: [
      `${keyLabel(key)} ${state}, and it was not rotated. ${refusal.explanation}`,
      ...(expired ? [EXPIRED_VERSION] : []),
      'Nothing was changed on the HSM. While this holds you are told again once a week.',
    ],
    facts: [
      ...keyFacts(key, context),
      versionFact('Version', key, version, context),
      { label: 'Reason', value: refusal.reason },
      ...closingFacts(key, notice.at),
    ],
    mustDo: [refusal.nextStep],
    ...(notice.notify.owner === undefined ? {} : { owner: notice.notify.owner }),
  };
}
