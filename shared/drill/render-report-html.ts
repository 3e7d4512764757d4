import { type Markup, markup, NOTHING } from '../notification/markup.ts';
import { figure, list, type Tone, table, text, toned } from '../notification/render-page.ts';
import { count, figures, instant, renderReport, row, verdict } from '../notification/render-report.ts';
import { differencesTable, shownDifferences } from '../restore/render-differences.ts';
import { printSeconds } from './print-seconds.ts';
import { renderTimeline } from './render-timeline.ts';
import type { DrillReport, DrillVerdict, MeasuredObjective, TearDown } from './report.ts';

const VERDICT: Record<DrillVerdict, { tone: Tone; word: string; meaning: string }> = {
  passed: {
    tone: 'good',
    word: 'Passed',
    meaning: 'The backup was restored, and what came back is what was backed up.',
  },
  failed: { tone: 'bad', word: 'Failed', meaning: 'The backup was not restored as it must be, or not in time.' },
  inconclusive: {
    tone: 'fair',
    word: 'Inconclusive',
    meaning: 'Nothing contradicts the backup, and it was not proven.',
  },
};

/** Of a drill that failed without a word against its backup. */
const FAILED_OTHERWISE = {
  proven: {
    tone: 'fair',
    word: 'Objectives missed',
    meaning:
      'The backup was restored, and what came back is what was backed up; but slower, or older, than the policy allows.',
  },
  undecided: {
    tone: 'fair',
    word: 'Objectives missed',
    meaning:
      'Nothing contradicts the backup; it was slower, or older, than the policy allows, and not all was looked at.',
  },
} as const;

/** The report of a drill as one printable page for an auditor; whatever it holds is escaped. */
export function renderReportHtml(report: DrillReport): string {
  const { hsm, backup, target } = report;
  const { installation, startedOn: from, endedOn: to } = report;
  const of = { heading: `Restore drill of ${hsm}`, installation, from, to, named: `drill ${report.drill}` };
  return renderReport(of, [
    verdictBox(report),
    figures('What was measured', [
      objectiveFigure('Recovery time', report.rto),
      ...(report.rto.peopleSeconds === undefined
        ? []
        : [figure('People', printSeconds(report.rto.peopleSeconds), 'took so long, beside the recovery time')]),
      objectiveFigure('Recovery point', report.rpo),
      figure(
        'Keys restored',
        String(report.comparison?.compared.keys ?? 0),
        `${backup.keys} in the backup, with ${count(backup.versions, 'version')}`,
      ),
      figure(
        'Keys tried',
        `${report.sentinels.filter(({ result }) => result === 'ok').length} of ${report.sentinels.length}`,
        'sentinels kept before, opened after',
      ),
    ]),
    markup`<p class="muted">Recovery time: ${report.rto.meaning} Recovery point: ${report.rpo.meaning}</p>
`,
    markup`<h2>What was restored, and where</h2>
`,
    table(
      'The backup and its target',
      ['Item', 'Value'],
      [
        row('Backup', backup.id),
        row('State of the HSM', instant(backup.takenOn)),
        row('Manifest SHA-256', backup.manifestSha256 ?? 'not recorded'),
        row('Security domain', backup.securityDomain),
        row(
          'Restored to',
          `${target.hsm}, ${target.kind === 'standing' ? 'kept for drills' : `made for this drill${target.region === undefined ? '' : ` in ${target.region}`}`}`,
        ),
        row(
          'Not covered',
          backup.notCovered.length === 0
            ? 'nothing'
            : `${backup.notCovered.join(', ')}: held by an external key manager`,
        ),
        ...(report.cost === undefined ? [] : [row('Cost', report.cost.text)]),
      ],
    ),
    markup`<h2>How it went</h2>
`,
    renderTimeline(report),
    stepsTable(report),
    comparisonSection(report),
    sentinelSection(report),
    tearDownSection(report),
  ]);
}

function verdictBox(report: DrillReport): Markup {
  const { reasons, nextSteps, verdict: judged, proof } = report;
  const otherwise = judged === 'failed' && (proof === 'proven' || proof === 'undecided');
  const { tone, word, meaning } = otherwise ? FAILED_OTHERWISE[proof] : (VERDICT[judged] ?? VERDICT.inconclusive);
  const next = nextSteps.length === 0 ? NOTHING : markup`<p><strong>Next</strong></p>${list(nextSteps)}`;
  return verdict(tone, word, [markup`<p>${meaning}</p>`, list(reasons), next]);
}

const OBJECTIVE: Record<MeasuredObjective['result'], string> = {
  met: 'objective met',
  missed: 'objective missed',
  notMeasured: 'not measured',
};

const objectiveFigure = (label: string, { seconds, objectiveSeconds, result }: MeasuredObjective): Markup =>
  figure(
    label,
    seconds === undefined ? '–' : printSeconds(seconds),
    `${OBJECTIVE[result] ?? result}, ${printSeconds(objectiveSeconds)} allowed`,
  );

const STEP: Record<string, { tone: Tone; word: string }> = {
  done: { tone: 'good', word: '✓ done' },
  failed: { tone: 'bad', word: '✗ failed' },
  skipped: { tone: 'muted', word: '– skipped' },
  running: { tone: 'fair', word: '… did not end' },
};

const stepsTable = ({ steps }: DrillReport): Markup =>
  table(
    'Steps in order',
    ['Step', 'Result', 'Began', 'Took', 'Remarks'],
    steps.map(({ title, result, startedOn, endedOn, waitedSeconds, by, detail }) => {
      const { tone, word } = STEP[result] ?? { tone: 'muted', word: result };
      const took = endedOn === undefined ? '–' : printSeconds((Date.parse(endedOn) - Date.parse(startedOn)) / 1000);
      const whom = by === 'people' ? 'waiting for people' : 'waiting';
      const waited = waitedSeconds === undefined ? [] : [`${printSeconds(waitedSeconds)} of it in ${whom}`];
      const remarks = [...(detail === undefined ? [] : [detail]), ...waited].join('; ');
      return [text(title), toned(tone, word), text(instant(startedOn)), text(took), text(remarks)];
    }),
  );

function comparisonSection({ comparison }: DrillReport): Markup {
  const heading = markup`<h2>Compared with the manifest</h2>
`;
  if (comparison === undefined)
    return markup`${heading}<p>The restored HSM was not compared.</p>
`;
  const { compared, differences, critical, warnings, notes } = comparison;
  const scope = `Compared: ${count(compared.keys, 'key')}, ${count(compared.versions, 'version')}, ${count(compared.roleAssignments, 'role assignment')}.`;
  if (differences.length === 0)
    return markup`${heading}<p>${scope} All of them are as the manifest says.</p>
`;
  const shown = shownDifferences(differences).length;
  const more = differences.length > shown ? ` The first ${shown} are shown; the JSON report holds all.` : '';
  return markup`${heading}<p>${scope} Found: ${count(critical, 'critical difference')}, ${count(warnings, 'warning')}, ${count(notes, 'note')}.${more}</p>
${differencesTable('Differences, the gravest first', differences)}`;
}

const SENTINEL: Record<string, { tone: Tone; word: string }> = {
  ok: { tone: 'good', word: '✓ opened' },
  failed: { tone: 'bad', word: '✗ failed' },
  notTried: { tone: 'muted', word: '– not tried' },
};

function sentinelSection({ sentinels }: DrillReport): Markup {
  const heading = markup`<h2>Keys tried after the restore</h2>
`;
  if (sentinels.length === 0)
    return markup`${heading}<p>No sentinel was kept before, so no key was tried.</p>
`;
  const rows = sentinels.map(({ key, version, operation, result, detail }) => {
    const { tone, word } = SENTINEL[result] ?? { tone: 'muted', word: result };
    return [text(key), text(version), text(operation), toned(tone, word), text(detail ?? '')];
  });
  return markup`${heading}${table('What the HSM itself had protected, opened on the restored one', ['Key', 'Version', 'Operation', 'Result', 'Remarks'], rows)}`;
}

const TORN_DOWN: Record<TearDown['state'], { tone: Tone; word: string }> = {
  removed: { tone: 'good', word: '✓ removed' },
  nothingMade: { tone: 'muted', word: '– nothing was made' },
  remains: { tone: 'bad', word: '✗ still there' },
};

function tearDownSection({ tearDown, cost }: DrillReport): Markup {
  if (tearDown === undefined) return NOTHING;
  const { tone, word } = TORN_DOWN[tearDown.state] ?? TORN_DOWN.remains;
  const rows = [
    [text('HSM'), text(tearDown.hsm)],
    [text('State'), toned(tone, word)],
    ...(tearDown.removedOn === undefined ? [] : [row('Deleted', instant(tearDown.removedOn))]),
    ...(tearDown.goneOn === undefined ? [] : [row('Purged by the service', instant(tearDown.goneOn))]),
    ...(tearDown.cost === undefined || cost === undefined
      ? []
      : [row('Billed from deletion to purge', `${tearDown.cost} ${cost.currency}`)]),
    row('What that means', tearDown.text),
    ...(tearDown.command === undefined ? [] : [row('To end its cost, by another person', tearDown.command)]),
  ];
  return markup`<h2>What was removed afterwards</h2>
${table('The temporary HSM and its cost', ['Item', 'Value'], rows)}`;
}
