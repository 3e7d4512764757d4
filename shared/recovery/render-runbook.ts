import { type Markup, markup, NOTHING } from '../notification/markup.ts';
import { list, renderPage, type Tone, table, text, toned } from '../notification/render-page.ts';
import type { ConsumerList } from './consumers.ts';
import type { Prerequisite } from './prerequisites.ts';
import type { Actor, Runbook, RunbookStep } from './runbook.ts';

export interface RunbookView {
  runbook: Runbook;
  prerequisites: readonly Prerequisite[];
  consumers?: ConsumerList;
  /** When it was written; ISO instant. */
  at: string;
}

const ACTOR: Record<Actor, string> = {
  automation: 'by itself',
  person: 'waits for a person',
  offline: 'offline, with private keys',
};

const STATE: Record<RunbookStep['state'], { mark: string; tone: Tone; word: string }> = {
  done: { mark: 'x', tone: 'good', word: '✓ done' },
  skipped: { mark: '-', tone: 'muted', word: '– skipped' },
  failed: { mark: '!', tone: 'bad', word: '✗ failed' },
  ready: { mark: '>', tone: 'fair', word: '▸ now' },
  blocked: { mark: ' ', tone: 'muted', word: 'later' },
};

/** The runbook for a terminal or a printer without a browser. */
export function renderRunbookText({ runbook, prerequisites, consumers, at }: RunbookView): string {
  const { names, steps, done, total } = runbook;
  const lines = [
    `Recovery of ${names.hsm} (${names.recovery}), ${at}`,
    `${done} of ${total} steps over${runbook.waiting.length === 0 ? '' : `; waits for a person: ${runbook.waiting.join(', ')}`}`,
    '',
    'Prerequisites',
    ...prerequisites.flatMap(({ state, title, found, nextStep }) => [
      `  [${state}] ${title}: ${found}`,
      ...(nextStep === undefined ? [] : [`      next: ${nextStep}`]),
    ]),
    '',
    'Steps',
    ...steps.flatMap((step, index) => stepLines(step, index + 1)),
    ...(consumers === undefined ? [] : ['', 'Consumers', ...consumerLines(consumers)]),
  ];
  return `${lines.map(clean).join('\n')}\n`;
}

/** Names come from outside; a line of the runbook stays one line. */
const clean = (line: string): string => line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trimEnd();

const stepLines = (
  { title, state, actor, who, what, commands, evidence, report }: RunbookStep,
  number: number,
): string[] => [
  `  [${STATE[state].mark}] ${number}. ${title} (${who}; ${ACTOR[actor]})`,
  ...(report === undefined
    ? []
    : [
        `      ${report.result} by ${report.by}, ${report.at}${report.evidence === undefined ? '' : `: ${report.evidence}`}`,
      ]),
  ...(state === 'done' || state === 'skipped'
    ? []
    : [
        ...what.map((each) => `      ${each}`),
        ...commands.map((each) => `      $ ${each}`),
        `      shows by: ${evidence}`,
      ]),
];

const consumerLines = ({ text: summary, tasks, keysWithoutConsumer }: ConsumerList): string[] => [
  `  ${summary}`,
  ...tasks.map(
    ({ state, consumer, from, to, owner }) =>
      `  [${state === 'done' ? 'x' : ' '}] ${consumer}${owner === undefined ? '' : ` (${owner})`}: ${from} -> ${to}`,
  ),
  ...(keysWithoutConsumer.length === 0 ? [] : [`  No consumer named: ${keysWithoutConsumer.join(', ')}`]),
];

/** The runbook as one printable page; whatever it holds is escaped. */
export function renderRunbookHtml({ runbook, prerequisites, consumers, at }: RunbookView): string {
  const { names, steps, done, total, waiting } = runbook;
  const state = runbook.complete
    ? { tone: 'good', word: 'Complete' }
    : waiting.length > 0
      ? { tone: 'fair', word: 'Waits for a person' }
      : { tone: 'muted', word: 'Under way' };
  const titles = steps.filter(({ name }) => waiting.includes(name)).map(({ title, who }) => `${title}: ${who}`);
  return renderPage(`Recovery of ${names.hsm}`, [
    markup`<h1>Recovery of ${names.hsm}</h1>
<p class="lead">${names.recovery}, as of ${at}</p>
<section class="verdict ${state.tone}" aria-label="State"><strong>${state.word}</strong><p>${String(done)} of ${String(total)} steps are over.</p>${titles.length === 0 ? NOTHING : list(titles)}</section>
<h2>What it needs</h2>
`,
    table('Prerequisites, the gravest first', ['Needed', 'State', 'Found', 'Next'], prerequisites.map(prerequisiteRow)),
    markup`<h2>Steps</h2>
`,
    table('In order; a step waits for those before it', ['Step', 'State', 'Who', 'What to do'], steps.map(stepRow)),
    consumers === undefined ? NOTHING : consumerSection(consumers),
    markup`<footer>Private keys never leave the offline machine, and this product never asks for one. All times are UTC.</footer>
`,
  ]);
}

const PREREQUISITE: Record<Prerequisite['state'], { tone: Tone; word: string }> = {
  met: { tone: 'good', word: '✓ met' },
  unmet: { tone: 'bad', word: '✗ unmet' },
  unknown: { tone: 'fair', word: '? unknown' },
};

const prerequisiteRow = ({ title, state, blocking, found, nextStep }: Prerequisite): Markup[] => [
  text(blocking ? title : `${title} (advised)`),
  toned(PREREQUISITE[state].tone, PREREQUISITE[state].word),
  text(found),
  text(nextStep ?? ''),
];

function stepRow(step: RunbookStep, index: number): Markup[] {
  const { title, state, who, actor, what, commands, evidence, report } = step;
  const told =
    report === undefined
      ? NOTHING
      : markup`<p>${report.by}, ${report.at}${report.evidence === undefined ? '' : `: ${report.evidence}`}</p>`;
  const open = state !== 'done' && state !== 'skipped';
  return [
    text(`${index + 1}. ${title}`),
    toned(STATE[state].tone, STATE[state].word),
    actor === 'automation' ? text(who) : markup`${who}<br><span class="muted">${ACTOR[actor]}</span>`,
    open
      ? markup`${told}${what.map((each) => markup`<p>${each}</p>`)}${commands.map((each) => markup`<pre>${each}</pre>`)}<p class="muted">Shows by: ${evidence}</p>`
      : told,
  ];
}

function consumerSection({ tasks, keysWithoutConsumer, text: summary }: ConsumerList): Markup {
  const rows = tasks.map(({ consumer, owner, from, to, state, done }) => [
    text(consumer),
    state === 'done' ? toned('good', `✓ ${done?.by ?? ''}, ${done?.at ?? ''}`) : toned('fair', 'open'),
    text(owner ?? ''),
    markup`<code>${from}</code><br><code>${to}</code>`,
  ]);
  const loose =
    keysWithoutConsumer.length === 0
      ? NOTHING
      : markup`<p>Keys that name no consumer: ${keysWithoutConsumer.join(', ')}</p>
`;
  return markup`<h2>Consumers</h2>
<p>${summary}</p>
${table('From the old address to the new', ['Consumer', 'State', 'Owner', 'Key'], rows)}${loose}`;
}
