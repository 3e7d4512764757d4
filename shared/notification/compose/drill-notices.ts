import type { HsmNotice, NoticeObjective } from '../hsm-notice.ts';
import type { Draft } from '../message.ts';
import type { ComposeContext } from '../notice.ts';
import { counted, factOf, fewOf, hsmFacts, instantFact, lasting, ownerOf } from './about-hsm.ts';
import { instant } from './about-key.ts';

type DrillNotice = Extract<HsmNotice, { kind: 'DrillPassed' | 'DrillFailed' }>;

/** A backup was restored, compared and tried; the figures are what an auditor asks for. */
export function drillPassed(notice: Extract<DrillNotice, { kind: 'DrillPassed' }>, context: ComposeContext): Draft {
  const { hsm, keys, target } = notice;
  return {
    severity: notice.nextSteps.length === 0 ? 'info' : 'attention',
    action: notice.nextSteps.length > 0,
    headline: `${hsm} restore drill passed`,
    preheader: `${counted(keys, 'key')} restored in ${objective(notice.rto)}.`,
    paragraphs: [
      `The backup of ${instant(notice.takenOn)} was restored to ${target}, compared with its manifest and tried. ${notice.reasons.join(' ')}`,
      `Restoring took ${objective(notice.rto)}; ${objective(notice.rpo)} of changes would have been lost.`,
    ],
    facts: drillFacts(notice, context),
    mustDo: notice.nextSteps,
    ...ownerOf(notice),
  };
}

/** Either the backup cannot be relied on, or nobody knows whether it can. */
export function drillFailed(notice: Extract<DrillNotice, { kind: 'DrillFailed' }>, context: ComposeContext): Draft {
  const { hsm, result, target } = notice;
  const failed = result === 'failed';
  return {
    severity: failed ? 'critical' : 'attention',
    action: true,
    headline: `${hsm} restore drill ${failed ? 'failed' : 'proved nothing'}`,
    preheader: notice.reasons[0] ?? 'See the report.',
    paragraphs: [
      `The backup of ${instant(notice.takenOn)} was to be restored to ${target}. ${fewOf(notice.reasons).join(' ')}`,
      failed
        ? 'Do not count on this backup. Others are not judged by it, and stay as they are.'
        : 'Nothing speaks against the backup, and nothing was proven.',
    ],
    facts: drillFacts(notice, context),
    mustDo: notice.nextSteps.length === 0 ? ['Read the report, and run the drill again.'] : notice.nextSteps,
    ...ownerOf(notice),
  };
}

const drillFacts = (notice: DrillNotice, context: ComposeContext) =>
  hsmFacts(notice, context, [
    factOf('Drill', notice.drill),
    factOf('Restored to', notice.target),
    factOf('Backup', notice.backup),
    instantFact('State of', notice.takenOn),
    factOf('Recovery time', withLimit(notice.rto)),
    factOf('Recovery point', withLimit(notice.rpo)),
    factOf('Report', `evidence/${notice.report}`),
  ]);

const objective = ({ seconds }: NoticeObjective): string =>
  seconds === undefined ? 'an unknown time' : lasting(seconds);

const withLimit = ({ seconds, objectiveSeconds }: NoticeObjective): string =>
  `${seconds === undefined ? 'not measured' : lasting(seconds)}, ${lasting(objectiveSeconds)} allowed`;
