import type { HsmNotice, NoticeStep } from '../hsm-notice.ts';
import type { Draft } from '../message.ts';
import type { ComposeContext } from '../notice.ts';
import { counted, factOf, fewOf, hsmFacts, instantFact, ownerOf } from './about-hsm.ts';

type Of<Kind extends HsmNotice['kind']> = Extract<HsmNotice, { kind: Kind }>;
type IncidentNotice = Of<
  | 'IncidentOpened'
  | 'IncidentRaised'
  | 'IncidentApprovalWanted'
  | 'IncidentContained'
  | 'IncidentEscalated'
  | 'IncidentClosed'
>;

const isGrave = ({ severity }: IncidentNotice): boolean => severity === 'Critical' || severity === 'High';
const urgency = (notice: IncidentNotice) => (isGrave(notice) ? ('critical' as const) : ('attention' as const));

/** Somebody may have got in: what was seen, and what happens now. */
export function incidentOpened(notice: Of<'IncidentOpened'>, context: ComposeContext): Draft {
  const { hsm, severity, subject, gained } = notice;
  return {
    severity: urgency(notice),
    action: true,
    headline: `${hsm} incident, ${severity.toLowerCase()}: ${notice.findings[0] ?? gained}`,
    preheader: `${gained}. It is about ${subject}.`,
    paragraphs: [
      `${gained}. It is about ${subject}.`,
      `Found so far: ${found(notice)}`,
      ...(notice.willDo.length === 0
        ? ['Evidence has been kept. What is done next is told when it waits for somebody, and when it is done.']
        : [`What happens next: ${fewOf(notice.willDo).join('; ')}.`]),
    ],
    facts: incidentFacts(notice, context, [factOf('Opened by', notice.openedBy)]),
    mustDo: [
      'If this was you or your team, say so to an approver at once; do not wait for the next mail.',
      `Otherwise read ${where(notice)}.`,
    ],
    ...ownerOf(notice),
  };
}

export function incidentRaised(notice: Of<'IncidentRaised'>, context: ComposeContext): Draft {
  const { hsm, severity } = notice;
  return {
    severity: urgency(notice),
    action: true,
    headline: `${hsm} incident is now ${severity.toLowerCase()}`,
    preheader: notice.findings[0] ?? notice.gained,
    paragraphs: [`More was found, and it is graver than was told before. Found so far: ${found(notice)}`],
    facts: incidentFacts(notice, context, []),
    mustDo: [`Read ${where(notice)}, and decide what waits there.`],
    ...ownerOf(notice),
  };
}

/** A person has to decide, and sees here what it would do to whom. */
export function incidentApprovalWanted(notice: Of<'IncidentApprovalWanted'>, context: ComposeContext): Draft {
  const { hsm, steps } = notice;
  return {
    severity: urgency(notice),
    action: true,
    headline: `${hsm} incident: ${counted(steps.length, 'step')} ${steps.length === 1 ? 'needs' : 'need'} people`,
    preheader: steps[0]?.title ?? 'See the incident.',
    paragraphs: [
      `The response to ${notice.subject} cannot go on alone. Silence does nothing: a step that nobody decides is not done.`,
      ...steps.slice(0, 6).map(stepText),
      ...(steps.length > 6 ? [`And ${steps.length - 6} more.`] : []),
    ],
    facts: incidentFacts(notice, context, []),
    mustDo: [
      ...whatToDecide(notice, steps),
      'Nobody decides about themselves, or about an incident that they declared.',
    ],
    ...ownerOf(notice),
  };
}

/** Two kinds of steps wait: those that people let the app do, and those that people do. */
function whatToDecide(notice: IncidentNotice, steps: readonly NoticeStep[]): string[] {
  const approve = steps.some(({ approvals }) => approvals > 0);
  const report = steps.some(({ approvals }) => approvals === 0);
  return [
    `Look at ${where(notice)}${approve ? ', and speak with those who depend on it' : ''}.`,
    ...(approve ? [`Approve or deny each step that needs approval: ${decide(notice, 'approve')}`] : []),
    ...(report ? [`Report each step that people do, once it is done: ${decide(notice, 'done')}`] : []),
  ];
}

const stepText = ({ id, title, why, approvals, until, shown }: NoticeStep): string => {
  const needs =
    approvals === 0
      ? 'People do this and report it.'
      : `Needs ${counted(approvals, 'approval')}${until ? ` until ${until}` : ''}.`;
  return [`${title}.`, why, needs, ...shown.slice(0, 4), `Step: ${id}`].join(' ');
};

export function incidentContained(notice: Of<'IncidentContained'>, context: ComposeContext): Draft {
  const { hsm, result, done, remains } = notice;
  const whole = result === 'full';
  return {
    severity: whole ? 'attention' : urgency(notice),
    action: !whole,
    headline: `${hsm} incident ${CONTAINED[result]}: ${fewOf(notice.keys, 2).join(', ') || notice.subject}`,
    preheader: whole ? `${counted(done.length, 'step')} done.` : (remains[0] ?? ''),
    paragraphs: [
      ...(done.length === 0 ? [] : ['Done:', ...fewOf(done).map(asItem)]),
      ...(whole
        ? ['Nothing that the app knows of lets the intruder in any more.']
        : ['Not done, so the intruder may still get in:', ...fewOf(remains).map(asItem)]),
      ...(notice.canPutBack !== true
        ? []
        : [`If this cut off a rightful user, an approver gives it back by one call: ${decide(notice, 'putBack')}`]),
    ],
    facts: incidentFacts(notice, context, []),
    mustDo: whole
      ? [`Find out what it was, and give a verdict: ${decide(notice, 'verdict')}`]
      : [`Look at ${where(notice)}, and decide what remains: ${decide(notice, 'approve')}`],
    ...ownerOf(notice),
  };
}

const CONTAINED = { full: 'contained', partial: 'contained in part', none: 'not contained' };

const asItem = (text: string): string => `- ${text.endsWith('.') ? text : `${text}.`}`;

const CALLED = { owner: 'the owner again', deputy: 'the deputies', lead: 'the leads' };
const UNNAMED = {
  owner: 'the policy names no owner, so this tells those of the HSM',
  deputy: 'the policy names no deputies, so this tells the owners of the HSM again',
  lead: 'the policy names no leads, so this tells the owners of the HSM again',
};

/** Nobody decided so far. The next circle is called, and nothing else happens. */
export function incidentEscalated(notice: Of<'IncidentEscalated'>, context: ComposeContext): Draft {
  const { hsm, circle, since, steps } = notice;
  return {
    severity: urgency(notice),
    action: true,
    headline: `${hsm} incident waits for a decision since ${since}`,
    preheader: steps[0]?.title ?? 'See the incident.',
    paragraphs: [
      `Nobody has decided since ${since}; ${notice.nobodyNamed ? UNNAMED[circle] : `this calls ${CALLED[circle]}`}. What was taken away stays so, and nothing is done by silence.`,
      ...steps.slice(0, 6).map(stepText),
    ],
    facts: incidentFacts(notice, context, [instantFact('Waits since', since)]),
    mustDo: [...whatToDecide(notice, steps), 'If you cannot, find somebody who can.'],
    ...ownerOf(notice),
  };
}

const VERDICTS: Record<string, string> = {
  confirmed: 'confirmed',
  likely: 'likely',
  benign: 'benign',
  insufficientEvidence: 'without enough evidence',
  none: 'without a verdict',
};
const KEPT_OUT = {
  refused: 'The intruder is kept out, as far as log and roles say.',
  stillAllowed: 'The intruder still gets in.',
  unknown: 'Whether the intruder is kept out is not known.',
};

export function incidentClosed(notice: Of<'IncidentClosed'>, context: ComposeContext): Draft {
  const { hsm, verdict, contained, keptOut } = notice;
  return {
    severity: keptOut === 'stillAllowed' ? 'critical' : 'info',
    action: keptOut === 'stillAllowed',
    headline: `${hsm} incident closed, ${VERDICTS[verdict] ?? verdict}`,
    preheader: notice.note,
    paragraphs: [
      `${notice.by} closed it: ${notice.note}`,
      contained === 'none'
        ? 'This response took nothing away.'
        : `It was contained ${contained === 'full' ? 'in full' : 'in part'}.`,
      ...(keptOut === undefined ? [] : [KEPT_OUT[keptOut] ?? '']),
      'If more is found within seven days, it opens again.',
    ],
    facts: incidentFacts(notice, context, [
      factOf('Verdict', VERDICTS[verdict] ?? verdict),
      factOf('Report', `evidence/${notice.report}`),
    ]),
    mustDo: keptOut === 'stillAllowed' ? ['Find how the intruder comes in, and close that.'] : [],
    ...ownerOf(notice),
  };
}

const found = ({ findings, findingsInAll }: IncidentNotice): string =>
  `${findings.join('; ')}${findingsInAll > findings.length ? `; ${findingsInAll - findings.length} more` : ''}.`;

const where = ({ incident }: IncidentNotice): string => `GET /api/incidents/${incident}`;

/** The call and the body that it takes. */
const decide = ({ incident }: IncidentNotice, kind: 'approve' | 'done' | 'putBack' | 'verdict'): string =>
  `POST /api/incidents/${incident}/decisions ${BODY[kind]}.`;

const BODY = {
  approve: '{"kind": "approve" or "deny", "step": …, "note": why}',
  done: '{"kind": "done", "step": …, "note": what was done}',
  putBack: '{"kind": "putBack", "step": …, "note": why}',
  verdict: '{"kind": "verdict", "verdict": confirmed, likely, benign or insufficientEvidence, "note": why}',
};

const incidentFacts = (notice: IncidentNotice, context: ComposeContext, more: Parameters<typeof hsmFacts>[2]) =>
  hsmFacts(notice, context, [
    factOf('Incident', notice.incident),
    factOf('Severity', notice.severity),
    factOf('About', notice.subject),
    factOf('Keys', fewOf(notice.keys, 5).join(', ')),
    ...more,
  ]);
