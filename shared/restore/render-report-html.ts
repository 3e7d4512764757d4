import { type Markup, markup, NOTHING } from '../notification/markup.ts';
import { figure, list, type Tone, table } from '../notification/render-page.ts';
import { figures, instant, renderReport, row, verdict } from '../notification/render-report.ts';
import type { RestoreComparison } from './compare-with-manifest.ts';
import { differencesTable, shownDifferences } from './render-differences.ts';
import type { RestoreReport } from './report.ts';

/** The report of a restore as one printable page; whatever it holds is escaped. */
export function renderRestoreHtml(report: RestoreReport): string {
  const { hsm, key, restore, installation, startedOn, endedOn, comparison } = report;
  const what = key === undefined ? hsm : `${key} on ${hsm}`;
  const seconds = Math.round((Date.parse(endedOn) - Date.parse(startedOn)) / 1000);
  const { compared } = comparison;
  const of = { heading: `Restore of ${what}`, installation, from: startedOn, to: endedOn, named: restore };
  return renderReport(of, [
    verdictBox(comparison),
    figures('What was compared', [
      figure('Keys', String(compared.keys), `${compared.versions} versions`),
      figure(
        'Role assignments',
        String(compared.roleAssignments),
        key === undefined ? 'at every scope' : 'not touched',
      ),
      figure('Took', `${seconds} s`, 'from the approved start to the comparison'),
    ]),
    markup`<h2>Who decided, and about what</h2>
`,
    table('The restore, its backup and the people', ['Item', 'Value'], facts(report)),
    markup`<h2>What it was going to do</h2>
${list(report.preview)}`,
    differences(comparison),
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
  return verdict(tone, word, [markup`<p>${meaning} ${counts}</p>`]);
}

function facts({ backup, requested, approved, safetyBackup }: RestoreReport): Markup[][] {
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

function differences({ differences: all }: RestoreComparison): Markup {
  if (all.length === 0) return NOTHING;
  const shown = shownDifferences(all).length;
  const more = all.length > shown ? `The first ${shown} of ${all.length}; the JSON report holds all.` : '';
  return markup`<h2>Differences from the manifest</h2>
<p>${more}</p>
${differencesTable('The gravest first', all)}`;
}
