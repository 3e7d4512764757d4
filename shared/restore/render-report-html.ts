import { type Markup, markup, NOTHING } from '../notification/markup.ts';
import { figure, list, renderPage, type Tone, table, text, toned } from '../notification/render-page.ts';
import type { RestoreComparison, RestoreDifference } from './compare-with-manifest.ts';
import type { RestoreReport } from './report.ts';

/** A page of differences tells no more than the first ones; the JSON has them all. */
const MOST_DIFFERENCES = 200;

/** The report of a restore as one printable page; whatever it holds is escaped. */
export function renderRestoreHtml(report: RestoreReport): string {
  const { hsm, key, restore, installation, startedOn, endedOn, comparison } = report;
  const what = key === undefined ? hsm : `${key} on ${hsm}`;
  const seconds = Math.round((Date.parse(endedOn) - Date.parse(startedOn)) / 1000);
  const { compared } = comparison;
  return renderPage(`Restore of ${what}, ${startedOn.slice(0, 10)}`, [
    markup`<h1>Restore of ${what}</h1>
<p class="lead">${installation}, ${instant(startedOn)} to ${instant(endedOn)}, ${restore}</p>
`,
    verdictBox(comparison),
    markup`<h2>What was compared</h2>
<dl class="figures">
${[
  figure('Keys', String(compared.keys), `${compared.versions} versions`),
  figure('Role assignments', String(compared.roleAssignments), key === undefined ? 'at every scope' : 'not touched'),
  figure('Took', `${seconds} s`, 'from the approved start to the comparison'),
]}</dl>
`,
    markup`<h2>Who decided, and about what</h2>
`,
    table('The restore, its backup and the people', ['Item', 'Value'], facts(report)),
    markup`<h2>What it was going to do</h2>
${list(report.preview)}`,
    differences(comparison),
    markup`<footer>Made by the Managed HSM lifecycle automation of ${installation}. The same facts stand in the JSON report beside this page. All times are UTC.</footer>
`,
  ]);
}

function verdictBox({ critical, warnings, notes }: RestoreComparison): Markup {
  const [tone, word, meaning]: [Tone, string, string] =
    critical > 0
      ? ['bad', 'Different', 'Something that consumers or people rely on is not as the backup held it.']
      : warnings > 0
        ? ['fair', 'Restored, with differences', 'Nothing critical differs from the manifest of the backup.']
        : ['good', 'As backed up', 'Everything that was compared is as the manifest of the backup says.'];
  const counts = `${critical} critical differences, ${warnings} warnings, ${notes} notes.`;
  return markup`<section class="verdict ${tone}" aria-label="Verdict"><strong>${word}</strong><p>${meaning} ${counts}</p></section>
`;
}

function facts({ backup, requested, approved, safetyBackup }: RestoreReport): Markup[][] {
  const row = (name: string, value: string): Markup[] => [text(name), text(value)];
  return [
    row('Backup', backup.id),
    row('State of the HSM', instant(backup.takenOn)),
    row('Manifest SHA-256', backup.manifestSha256 ?? 'not recorded'),
    row('Safety backup', safetyBackup ?? 'not needed: nothing was taken away'),
    row('Asked for by', `${requested.by}, ${instant(requested.at)}`),
    row('Reason', requested.reason),
    row('Approved by', approved === undefined ? 'nobody' : `${approved.by}, ${instant(approved.at)}`),
    ...(approved?.note === undefined ? [] : [row('Note', approved.note)]),
  ];
}

const SEVERITY: Record<string, Tone> = { critical: 'bad', warning: 'fair', note: 'muted' };

function differences({ differences: all }: RestoreComparison): Markup {
  if (all.length === 0) return NOTHING;
  const shown = all.slice(0, MOST_DIFFERENCES);
  const more =
    all.length > shown.length ? `The first ${shown.length} of ${all.length}; the JSON report holds all.` : '';
  return markup`<h2>Differences from the manifest</h2>
<p>${more}</p>
${table('The gravest first', ['Where', 'Severity', 'What', 'Expected', 'Found'], shown.map(differenceRow))}`;
}

const differenceRow = ({ subject, severity, kind, attribute, expected, found }: RestoreDifference): Markup[] => [
  text(subject),
  toned(SEVERITY[severity] ?? 'muted', severity),
  text(attribute === undefined ? kind : `${kind}: ${attribute}`),
  text(expected ?? '–'),
  text(found ?? '–'),
];

/** `2030-01-15 12:00:00 UTC`. */
const instant = (iso: string): string =>
  iso.replace(/^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.\d+)?Z$/, '$1 $2 UTC');
