import type { HsmNotice, NoticeObjective } from '../hsm-notice.ts';
import type { Draft } from '../message.ts';
import type { ComposeContext } from '../notice.ts';
import { counted, factOf, fewOf, hsmFacts, instantFact, lasting, ownerOf } from './about-hsm.ts';

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
      `The backup of ${notice.takenOn} was restored to ${target}, compared with its manifest and tried. ${notice.reasons.join(' ')}`,
      `Restoring took ${objective(notice.rto)}; ${objective(notice.rpo)} of changes would have been lost.`,
    ],
    facts: drillFacts(notice, context),
    mustDo: notice.nextSteps,
    ...ownerOf(notice),
  };
}

/** The backup cannot be relied on, or nobody knows whether it can, or it can and was slower or older than allowed. */
export function drillFailed(notice: Extract<DrillNotice, { kind: 'DrillFailed' }>, context: ComposeContext): Draft {
  const { hsm, result, target, proof = result === 'failed' ? 'contradicted' : 'undecided' } = notice;
  const contradicted = result === 'failed' && proof === 'contradicted';
  const proven = proof === 'proven';
  const headline = proven
    ? `proved the backup, but ${missedBy(notice)}`
    : result === 'failed'
      ? contradicted
        ? 'failed'
        : `proved nothing, and ${missedBy(notice)}`
      : 'proved nothing';
  return {
    severity: contradicted ? 'critical' : 'attention',
    action: true,
    headline: `${hsm} restore drill ${headline}`,
    preheader: notice.reasons[0] ?? 'See the report.',
    paragraphs: [
      `The backup of ${notice.takenOn} was ${proven ? '' : 'to be '}restored to ${target}${proven ? ', compared with its manifest and tried' : ''}. ${fewOf(notice.reasons).join(' ')}`,
      proven
        ? 'You can count on this backup. What does not hold is what the policy promises: as things are, a recovery would take longer, or lose more, than it allows.'
        : contradicted
          ? 'Do not count on this backup. Others are not judged by it, and stay as they are.'
          : 'Nothing speaks against the backup, and nothing was proven.',
    ],
    facts: drillFacts(notice, context),
    mustDo: notice.nextSteps.length === 0 ? ['Read the report, and run the drill again.'] : notice.nextSteps,
    ...ownerOf(notice),
  };
}

/** `was 13 min slower than allowed`. */
function missedBy({ rto, rpo }: DrillNotice): string {
  const missed = ({ seconds = 0, objectiveSeconds }: NoticeObjective) => seconds > objectiveSeconds;
  const slower = missed(rto) ? [`was ${lasting((rto.seconds ?? 0) - rto.objectiveSeconds)} slower`] : [];
  const older = missed(rpo) ? [`its backup was ${lasting((rpo.seconds ?? 0) - rpo.objectiveSeconds)} older`] : [];
  return `${[...slower, ...older].join(' and ')} than allowed`;
}

/** Money runs out of the door until somebody acts, and the app could not. */
export function drillHsmRemains(
  notice: Extract<HsmNotice, { kind: 'DrillHsmRemains' }>,
  context: ComposeContext,
): Draft {
  const { hsm, target, explanation, costPerHour, commands } = notice;
  return {
    severity: 'critical',
    action: true,
    headline: `${hsm} drill left ${target} behind`,
    preheader: 'A temporary HSM could not be removed.',
    paragraphs: [
      `The restore drill of ${hsm} made ${target}, and could not remove it. ${explanation}`,
      'It is billed as long as it exists, and holds a copy of every key. Its removal is tried again when backups are watched.',
    ],
    facts: hsmFacts(notice, context, [
      factOf('Drill', notice.drill),
      factOf('Left behind', target),
      ...(costPerHour === undefined ? [] : [factOf('Costs', `${costPerHour} an hour`)]),
    ]),
    mustDo: [`See that ${target} carries the tag mhsm-drill with this drill, then delete it.`],
    commands,
    ...ownerOf(notice),
  };
}

/** A drill was due and did not begin, or will not as things stand. */
export function drillRefused(notice: Extract<HsmNotice, { kind: 'DrillRefused' }>, context: ComposeContext): Draft {
  const { hsm, reason, explanation, nextStep, dueOn } = notice;
  return {
    severity: 'attention',
    action: true,
    headline: `${hsm} restore drill ${dueOn === undefined ? 'could not run' : 'will not run as the policy stands'}`,
    preheader: explanation,
    paragraphs: [
      dueOn === undefined
        ? `A restore drill of ${hsm} was due. ${explanation}`
        : `The next restore drill of ${hsm} is due on ${dueOn}. ${explanation}`,
      dueOn === undefined ? 'It is tried again when backups are watched.' : 'There is time to mend it until then.',
    ],
    facts: hsmFacts(notice, context, [factOf('Reason', reason)]),
    mustDo: [nextStep],
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
