import { type Markup, markup } from './markup.ts';
import { renderPage, type Tone, text } from './render-page.ts';

/** What a report is of, as its head and foot say it. */
export interface ReportOf {
  /** `Restore drill of contoso`. */
  heading: string;
  installation: string;
  /** ISO instants. */
  from: string;
  to: string;
  /** `drill drill-contoso-20300101`. */
  named: string;
}

/** A report as one printable page for an auditor: what it is of, the content, and where the same facts stand. */
export const renderReport = ({ heading, installation, from, to, named }: ReportOf, content: readonly Markup[]) =>
  renderPage(`${heading}, ${from.slice(0, 10)}`, [
    markup`<h1>${heading}</h1>
<p class="lead">${installation}, ${instant(from)} to ${instant(to)}, ${named}</p>
`,
    ...content,
    markup`<footer>Made by the Managed HSM lifecycle automation of ${installation}. The same facts stand in the JSON report beside this page. All times are UTC.</footer>
`,
  ]);

/** How it came out, in a word and then in sentences. */
export const verdict = (tone: Tone, word: string, meaning: readonly Markup[]): Markup =>
  markup`<section class="verdict ${tone}" aria-label="Verdict"><strong>${word}</strong>${meaning}</section>
`;

export const figures = (heading: string, all: readonly Markup[]): Markup => markup`<h2>${heading}</h2>
<dl class="figures">
${all}</dl>
`;

/** A row of a table of two columns. */
export const row = (name: string, value: string): Markup[] => [text(name), text(value)];

/** `2030-01-15 12:00 UTC`; anything that is no such instant as it is. */
export const instant = (iso: string): string =>
  iso.replace(/^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(:\d{2})?(?:\.\d+)?Z$/, '$1 $2$3 UTC');

/** For cells: at most two lines, the day and the time. */
export function when(iso: string): Markup {
  const [, day, time] = /^(\d\S+) (\S+ UTC)$/.exec(instant(iso)) ?? [];
  return time === undefined
    ? markup`${instant(iso)}`
    : markup`<span class="state">${day ?? ''}</span> <span class="state">${time}</span>`;
}

export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
