import { readableInstants } from '../notification/clean.ts';
import { type Markup, markup, NOTHING } from '../notification/markup.ts';
import { figure, list, type Tone, table, text, toned, word } from '../notification/render-page.ts';
import { count, figures, instant, renderReport, verdict, when } from '../notification/render-report.ts';
import { renderIncidentTimeline } from './render-timeline.ts';
import { CLASS_WORDS, type IncidentReport, printTime, VERDICT_WORDS } from './report.ts';
import type { PlannedStep } from './step.ts';
import type { ShownWatch } from './watch.ts';

const TONE: Record<string, Tone> = {
  Critical: 'bad',
  High: 'bad',
  Medium: 'fair',
  Low: 'muted',
  Informational: 'muted',
};

/** The report of an incident as one printable page. Whatever it holds came from log rows and people: all of it is escaped. */
export function renderIncidentHtml(report: IncidentReport): string {
  const { hsm, subject, times, watch } = report;
  const { installation, openedAt: from, closedAt: to, incident, round } = report;
  const named = round > 1 ? `${incident}, round ${round}` : incident;
  return renderReport({ heading: `Incident on ${hsm}`, installation, from, to, named }, [
    verdictBox(report),
    figures('In figures', [
      figure('Severity', report.severity, `score ${report.score} of 100, ${count(report.findingsInAll, 'finding')}`),
      figure('To detect', time(times.toDetect), 'from the first call to the finding'),
      figure('To contain', time(times.toContain), 'from the finding to the last role taken away'),
      figure('To close', printTime(times.toClose), 'from the finding to this report'),
    ]),
    table(
      'What it was',
      ['Item', 'Value'],
      [
        row('Who or what', subject),
        row('What was gained', CLASS_WORDS[report.class] ?? report.class),
        row('Opened by', report.openedBy),
        ...(watch ? [row('Watched harder', watchedRow(watch))] : []),
        row('Closed by', `${report.closedBy}: ${report.closingNote}`),
      ],
    ),
    markup`<h2>Course</h2>
`,
    renderIncidentTimeline(report),
    timelineTable(report),
    findingsSection(report),
    stepsSection(report),
    removedSection(report),
    keysSection(report),
    unknownSection(report),
    evidenceSection(report),
    notCollectedSection(report),
  ]);
}

const watchedRow = ({ until, of, raised }: ShownWatch): string =>
  `${of.join(', ') || 'nobody and nothing that is known'}; until ${instant(until)} at most, ${count(raised, 'finding')} weighed more`;

const VERDICT: Record<string, Tone> = {
  confirmed: 'bad',
  likely: 'fair',
  benign: 'good',
  insufficientEvidence: 'fair',
};
const CONTAINED = {
  full: 'Everything that let the intruder in was taken away.',
  partial: 'The intruder was kept out in part. What remains is listed below.',
  none: 'This response took nothing away.',
};
const KEPT_OUT = {
  refused: 'Kept out: ',
  stillAllowed: 'NOT kept out: ',
  unknown: 'Not known whether kept out: ',
};

function verdictBox(report: IncidentReport): Markup {
  const { verdictNote, verdictBy, verdictName, containment, verification } = report;
  const note = verdictNote ? markup`<p>${verdictName ?? verdictBy ?? ''}: ${verdictNote}</p>` : NOTHING;
  const verified = verification ? [`${KEPT_OUT[verification.result] ?? ''}${verification.explanation}`] : [];
  return verdict(VERDICT[report.verdict] ?? 'muted', VERDICT_WORDS[report.verdict] ?? report.verdict, [
    note,
    markup`<p>${CONTAINED[containment.kind] ?? ''}</p>`,
    list([...verified, ...containment.remains].map(readableInstants)),
  ]);
}

const timelineTable = ({ timeline }: IncidentReport): Markup =>
  table(
    'What happened, in order',
    ['When', 'What', 'By', 'Remarks'],
    timeline.map(({ at, kind, by, text: remark }) => [
      when(at),
      word(kind),
      word(cut(by)),
      text(readableInstants(remark)),
    ]),
  );

const MOST_FINDINGS = 100;

function findingsSection({ findings, findingsInAll }: IncidentReport): Markup {
  const shown = findings.slice(-MOST_FINDINGS);
  const more = findingsInAll > shown.length ? ` The newest ${shown.length} of ${findingsInAll} are shown.` : '';
  return markup`<h2>Findings</h2>
<p>Each was made by a detector or a person, from the log of the HSM or from what Azure said.${more}</p>
${table(
  'Findings',
  ['Found', 'Severity', 'What', 'Detector', 'From', 'Until'],
  shown.map(({ foundAt, severity, title, detector, from, until }) => [
    when(foundAt),
    toned(TONE[severity] ?? 'muted', severity),
    text(cut(title)),
    text(detector),
    when(from),
    when(until),
  ]),
)}`;
}

const STATE: Record<PlannedStep['state'], { tone: Tone; word: string }> = {
  done: { tone: 'good', word: '✓ done' },
  skipped: { tone: 'muted', word: '– nothing to do' },
  refused: { tone: 'fair', word: '✗ refused' },
  denied: { tone: 'fair', word: '✗ denied' },
  expired: { tone: 'fair', word: '… nobody decided' },
  failed: { tone: 'bad', word: '✗ failed' },
  undone: { tone: 'muted', word: '↩ put back' },
  planned: { tone: 'muted', word: '… planned' },
  waiting: { tone: 'muted', word: '… not asked for' },
  approved: { tone: 'fair', word: '… approved' },
  underWay: { tone: 'fair', word: '… under way' },
};
const MODE: Record<PlannedStep['mode'], string> = {
  auto: 'by policy',
  approval: 'one approval',
  twoApprovals: 'two approvals',
};

function stepsSection({ steps }: IncidentReport): Markup {
  const heading = markup`<h2>What was decided and done</h2>
`;
  if (steps.length === 0)
    return markup`${heading}<p>Nothing was planned.</p>
`;
  return markup`${heading}${table(
    'Steps of the response',
    ['Step', 'State', 'Let by', 'Decided by', 'Remarks'],
    steps.map(({ title, state, mode, doneBy, decisions, detail, reason }) => {
      const { tone, word: stands } = STATE[state] ?? { tone: 'muted', word: state };
      const who = decisions.map(
        ({ decision, name, at, note }) => `${name} ${decision} ${instant(at)}${note ? ` (${note})` : ''}`,
      );
      return [
        text(title),
        toned(tone, stands),
        word(doneBy === 'people' ? `people, ${MODE[mode] ?? mode}` : (MODE[mode] ?? mode)),
        text(who.join('; ') || '–'),
        text(readableInstants([reason, detail].filter(Boolean).join(': ')) || '–'),
      ];
    }),
  )}`;
}

function removedSection({ removed }: IncidentReport): Markup {
  if (removed.length === 0) return NOTHING;
  return markup`<h2>Roles that were taken away</h2>
${table(
  'Each can be put back under its own name by one call',
  ['Assignment', 'Principal', 'Role', 'Scope', 'Taken away', 'Put back'],
  removed.map(({ id, principalId, roleDefinitionId, scope, removedAt, putBackAt, putBackBy }) => [
    text(id),
    text(principalId),
    text(roleDefinitionId),
    text(scope),
    when(removedAt),
    text(putBackAt ? `${instant(putBackAt)} by ${putBackBy ?? '?'}` : '–'),
  ]),
)}`;
}

function keysSection({ keys }: IncidentReport): Markup {
  if (keys.length === 0) return NOTHING;
  return markup`<h2>Keys</h2>
${table(
  'Each key, with what was done about it',
  ['Key', 'Versions', 'Done'],
  keys.map(({ key, versions, done }) => [
    text(cut(key)),
    text(versions.join(', ') || '–'),
    done.length === 0 ? toned('muted', 'nothing') : text(done.join('; ')),
  ]),
)}`;
}

const unknownSection = ({ unknown }: IncidentReport): Markup =>
  unknown.length === 0
    ? NOTHING
    : markup`<h2>What is not known</h2>
${list(unknown)}`;

const evidenceSection = ({ evidence }: IncidentReport): Markup =>
  evidence === undefined
    ? NOTHING
    : markup`<h2>Evidence</h2>
<p>${count(evidence.records, 'record')}, each written once and hashed, listed in ${evidence.manifest} of the container evidence.</p>
<pre>SHA-256 ${evidence.sha256}</pre>
${(evidence.more ?? []).map(
  ({ at, records, keys, manifest, sha256 }) =>
    markup`<p>${count(records, 'record')} about ${keys.slice(0, 5).join(', ')}${keys.length > 5 ? ', …' : ''}, which came to it later, kept on ${instant(at)}: ${manifest}.</p>
<pre>SHA-256 ${sha256}</pre>
`,
)}`;

const notCollectedSection = ({ notCollected }: IncidentReport): Markup =>
  notCollected.length === 0
    ? NOTHING
    : markup`<h2>What was not collected</h2>
${list(notCollected.map(cut))}`;

const row = (name: string, value: string): Markup[] => [text(name), text(cut(value))];
const time = (seconds: number | undefined): string => (seconds === undefined ? '–' : printTime(seconds));

/** What a row of the log held is whatever a caller sent. */
function cut(value: string): string {
  const characters = Array.from(value);
  return characters.length <= 300 ? value : `${characters.slice(0, 299).join('')}…`;
}
