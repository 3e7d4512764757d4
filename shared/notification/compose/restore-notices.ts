import type { HsmNotice } from '../hsm-notice.ts';
import type { Draft } from '../message.ts';
import type { ComposeContext } from '../notice.ts';
import { counted, factOf, fewOf, hsmFacts, instantFact, lasting, ownerOf } from './about-hsm.ts';
import { failureFacts, failureInBrief, remedy } from './failure.ts';

type Of<Kind extends HsmNotice['kind']> = Extract<HsmNotice, { kind: Kind }>;

/** Another person has to decide, and needs to know what is at stake. */
export function restoreRequested(notice: Of<'RestoreRequested'>, context: ComposeContext): Draft {
  const { hsm, by } = notice;
  return {
    severity: 'critical',
    action: true,
    headline: `${hsm} full restore needs approval`,
    preheader: `${by} wants to wipe ${hsm} and restore the state of ${notice.takenOn}.`,
    paragraphs: [
      `${by} wants to wipe ${hsm} and put back the state of ${notice.takenOn}.${notice.note === undefined ? '' : ` ${notice.note}`}`,
      `What it would do: ${fewOf(notice.preview, 10).join(' ')}`,
      `Nothing happens unless somebody else approves it until ${notice.until}. A safety backup is taken first.`,
    ],
    facts: hsmFacts(notice, context, [
      factOf('Restore', notice.restore),
      factOf('Asked by', by),
      factOf('Backup', notice.backup),
      instantFact('State of', notice.takenOn),
      instantFact('Approve until', notice.until),
    ]),
    mustDo: [`Read what it would do, speak with ${by}, then approve or deny it.`],
    ...ownerOf(notice),
  };
}

/** What came back, and what differs from what should have. */
export function restoreCompleted(notice: Of<'RestoreCompleted'>, context: ComposeContext): Draft {
  const { hsm, key, critical, warnings, compared, differences } = notice;
  const what = key === undefined ? hsm : `${hsm}/${key}`;
  const found = `${counted(compared.keys, 'key')} with ${counted(compared.versions, 'version')} compared`;
  const same = critical + warnings === 0;
  return {
    severity: critical > 0 ? 'critical' : same ? 'info' : 'attention',
    action: critical > 0,
    headline: `${what} restored${same ? ' as the manifest says' : `, ${counted(critical + warnings, 'difference')} found`}`,
    preheader: `${found}; it took ${lasting(notice.seconds)}.`,
    paragraphs: [
      `${what} was restored to the state of ${notice.takenOn} in ${lasting(notice.seconds)}. ${found}.`,
      same
        ? 'Everything is as the manifest of the backup says.'
        : `It differs from the manifest: ${fewOf(differences).join('; ')}.`,
    ],
    facts: hsmFacts(notice, context, [
      factOf('Restore', notice.restore),
      factOf('Asked by', notice.by),
      factOf('Approved by', notice.approvedBy),
      factOf('Backup', notice.backup),
      instantFact('State of', notice.takenOn),
      factOf('Took', lasting(notice.seconds)),
    ]),
    mustDo: same ? [] : ['Go through the differences with the owners of the keys before consumers rely on them.'],
    ...ownerOf(notice),
  };
}

/** It stopped somewhere, and the state of the HSM depends on where. */
export function restoreFailed(notice: Of<'RestoreFailed'>, context: ComposeContext): Draft {
  const { hsm, key, failure } = notice;
  const what = key === undefined ? hsm : `${hsm}/${key}`;
  return {
    severity: 'critical',
    action: true,
    headline: `${what} restore did not finish: ${failureInBrief(failure)}`,
    preheader: failure.message,
    paragraphs: [
      `The restore of ${what} did not finish. ${failure.message}`,
      `It stopped at the step ${notice.step}. Backups and their copies were not touched.`,
    ],
    facts: hsmFacts(notice, context, [
      factOf('Restore', notice.restore),
      factOf('Backup', notice.backup),
      factOf('Step', notice.step),
      ...failureFacts(failure),
    ]),
    ...remedy(failure, hsm, context),
    ...ownerOf(notice),
  };
}
