import { type Markup, markup, NOTHING } from './markup.ts';
import type { Check, Message, Severity } from './message.ts';

/** Mail programs drop style sheets but not styles: the light design is inline, the dark one is laid over it by class. */
const INK = '#1f2933';
const MUTED = '#52606d';
const LINE = '#e1e5ea';
const SANS = "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif";
const MONO = "ui-monospace, 'Cascadia Mono', Consolas, Menlo, monospace";

/** Each colour has a contrast of at least 4.5 to 1 against its card, in the light and in the dark design. */
const SEVERITY: Record<Severity, { word: string; colour: string }> = {
  info: { word: 'For your information', colour: '#1d6b53' },
  attention: { word: 'Needs attention', colour: '#8a5200' },
  critical: { word: 'Critical', colour: '#b3261e' },
};

const RESULT: Record<Check['result'], { mark: string; word: string; colour: string; tone: string }> = {
  ok: { mark: '✓', word: 'passed', colour: SEVERITY.info.colour, tone: 'info' },
  failed: { mark: '✗', word: 'failed', colour: SEVERITY.critical.colour, tone: 'critical' },
  unprovable: { mark: '–', word: 'not provable', colour: MUTED, tone: 'muted' },
};

const DARK: Markup = markup`
  .page { background: #14171a !important; }
  .card, .box { background: #1e2328 !important; }
  .ink { color: #e6e9ec !important; }
  .muted { color: #a9b3bd !important; }
  .line { border-color: #363d45 !important; }
  .well { background: #14171a !important; }
  .info { color: #7fd1b0 !important; }
  .attention { color: #f0b65a !important; }
  .critical { color: #ff8a80 !important; }
  .bar-info { background: #7fd1b0 !important; }
  .bar-attention { background: #f0b65a !important; }
  .bar-critical { background: #ff8a80 !important; }`;

/** The mail as one page: no scripts, images, fonts or links; whatever the message holds is escaped. */
export function renderHtml(message: Message): string {
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${message.subject}</title>
<style>
  :root { color-scheme: light dark; }
  @media (prefers-color-scheme: dark) {${DARK}
  }
  @media (max-width: 640px) { .pad { padding-left: 20px !important; padding-right: 20px !important; } }
</style>
</head>
<body class="page" style="margin: 0; padding: 0; background: #f2f4f6;">
<div style="display: none; max-height: 0; overflow: hidden; mso-hide: all;">${message.preheader}</div>
<table class="page" role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="background: #f2f4f6;">
<tr><td align="center" style="padding: 24px 12px;">
<table class="card line" role="presentation" cellpadding="0" cellspacing="0" border="0" style="width: 100%; max-width: 640px; background: #ffffff; border: 1px solid ${LINE}; border-radius: 8px; border-collapse: separate; overflow: hidden; font-family: ${SANS}; text-align: left;">
${statusLine(message)}
<tr><td class="pad ink" style="padding: 4px 32px 28px; color: ${INK}; font-size: 15px; line-height: 23px;">
<h1 class="ink" style="margin: 0 0 16px; color: ${INK}; font-size: 21px; line-height: 29px; font-weight: 600; overflow-wrap: anywhere;">${message.headline}</h1>
${[message.greeting, ...message.paragraphs].map(paragraph)}${mustDoBox(message)}${checksTable(message.checks ?? [])}${takeNote(message.warnings)}${factsTable(message)}</td></tr>
</table>
<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="width: 100%; max-width: 640px;">
<tr><td class="pad muted" style="padding: 16px 32px; color: ${MUTED}; font-family: ${SANS}; font-size: 12px; line-height: 18px;">${message.footer}</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`;
  return page.html;
}

/** Said in words as well as in colour. */
function statusLine({ severity }: Message): Markup {
  const { word, colour } = SEVERITY[severity];
  return markup`<tr><td class="bar-${severity}" height="5" style="height: 5px; background: ${colour}; font-size: 0; line-height: 0;">&nbsp;</td></tr>
<tr><td class="pad ${severity}" style="padding: 22px 32px 6px; color: ${colour}; font-size: 13px; line-height: 18px; font-weight: 600;">${word}</td></tr>`;
}

const paragraph = (text: string): Markup =>
  markup`<p class="ink" style="margin: 0 0 12px; color: ${INK}; overflow-wrap: anywhere;">${text}</p>
`;

const heading = (text: string, margin = '28px 0 8px'): Markup =>
  markup`<h2 class="ink" style="margin: ${margin}; color: ${INK}; font-size: 15px; line-height: 22px; font-weight: 600;">${text}</h2>
`;

function mustDoBox({ severity, mustDo, mustDoNote, commands }: Message): Markup {
  const { colour } = SEVERITY[severity];
  return markup`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="margin: 20px 0 0; border-collapse: collapse; table-layout: fixed;">
<tr><td class="bar-${severity}" width="3" style="width: 3px; background: ${colour}; font-size: 0;">&nbsp;</td>
<td class="well" style="padding: 14px 18px 4px; background: #f6f7f9;">
${heading('What you must do', '0 0 6px')}${mustDo.length === 0 ? paragraph('Nothing.') : todoList(mustDo)}${commands.map(commandBlock)}${mustDoNote === undefined ? NOTHING : paragraph(mustDoNote)}</td></tr>
</table>
`;
}

/** One thing to do needs no number. */
function todoList(mustDo: readonly string[]): Markup {
  const [first] = mustDo;
  if (first !== undefined && mustDo.length === 1) return paragraph(first);
  return markup`<ol class="ink" style="margin: 0 0 12px; padding: 0 0 0 20px; color: ${INK};">${mustDo.map(item)}</ol>
`;
}

const item = (text: string): Markup => markup`<li style="margin: 0 0 6px; overflow-wrap: anywhere;">${text}</li>`;

const commandBlock = (command: string): Markup =>
  markup`<pre class="box ink line" style="margin: 0 0 12px; padding: 10px 12px; background: #ffffff; border: 1px solid ${LINE}; border-radius: 4px; color: ${INK}; font-family: ${MONO}; font-size: 12px; line-height: 18px; white-space: pre-wrap; overflow-wrap: break-word;">${command.split(/(?<= )/).map(unbroken)}</pre>
`;

/** A line may end between words, and not within the `--` of an option. */
const unbroken = (word: string): Markup =>
  word.startsWith('--') ? markup`<span style="white-space: nowrap;">${word.trimEnd()}</span> ` : markup`${word}`;

function takeNote(warnings: readonly string[]): Markup {
  if (warnings.length === 0) return NOTHING;
  return markup`${heading('Take note')}<ul class="ink" style="margin: 0; padding: 0 0 0 20px; color: ${INK};">${warnings.map(item)}</ul>
`;
}

const CELL = `border-top: 1px solid ${LINE}; font-size: 13px; line-height: 20px;`;

function checksTable(checks: readonly Check[]): Markup {
  if (checks.length === 0) return NOTHING;
  return rows('Proof, check by check', checks.map(checkRow));
}

function checkRow({ text, result, detail }: Check): Markup {
  const { mark, word, colour, tone } = RESULT[result];
  const more =
    detail === undefined ? NOTHING : markup`<br><span class="muted" style="color: ${MUTED};">${detail}</span>`;
  return markup`<tr>
<td class="line ${tone}" valign="top" width="104" style="width: 104px; padding: 6px 12px 6px 0; ${CELL} color: ${colour}; white-space: nowrap;"><b aria-hidden="true">${mark}</b>&nbsp; ${word}</td>
<td class="line ink" valign="top" style="padding: 6px 0; ${CELL} color: ${INK}; overflow-wrap: anywhere;">${text}${more}</td>
</tr>
`;
}

const factsTable = ({ facts }: Message): Markup =>
  rows(
    'Facts',
    facts.map(
      ({ label, value }) => markup`<tr>
<th class="line muted" scope="row" align="left" valign="top" width="104" style="width: 104px; padding: 6px 12px 6px 0; ${CELL} color: ${MUTED}; font-weight: 400; text-align: left;">${label}</th>
<td class="line ink" valign="top" style="padding: 6px 0; ${CELL} color: ${INK}; overflow-wrap: anywhere; word-break: break-word;">${value}</td>
</tr>
`,
    ),
  );

const rows = (title: string, content: readonly Markup[]): Markup =>
  markup`${heading(title)}<table width="100%" cellpadding="0" cellspacing="0" border="0" style="border-collapse: collapse;">
${content}</table>
`;
