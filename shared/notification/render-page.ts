import { type Markup, markup } from './markup.ts';

/**
 * A document that stands alone: no scripts, images, fonts or links, so that it reads the same from an archive in ten years.
 * Colours hold 4.5 to 1 against the paper, and nothing is said by colour alone.
 */
export function renderPage(title: string, content: readonly Markup[]): string {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${content}</main>
</body>
</html>
`.html;
}

const STYLE: Markup = markup`
  :root { --ink: #1f2933; --muted: #52606d; --line: #d3d9df; --well: #f6f7f9; --good: #1d6b53; --fair: #8a5200; --bad: #b3261e; }
  * { box-sizing: border-box; }
  body { margin: 0; background: #fff; color: var(--ink); font: 15px/1.55 system-ui, -apple-system, Segoe UI, Roboto, Arial, sans-serif; }
  main { max-width: 880px; margin: 0 auto; padding: 40px 24px 64px; }
  h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
  h2 { font-size: 17px; margin: 36px 0 10px; break-after: avoid; }
  p { margin: 0 0 10px; max-width: 72ch; overflow-wrap: anywhere; }
  .lead { color: var(--muted); margin-bottom: 20px; }
  .verdict { border-left: 5px solid currentColor; background: var(--well); padding: 14px 18px; margin: 20px 0; }
  .verdict strong { font-size: 18px; }
  .verdict ul { color: var(--ink); margin: 8px 0 0; padding-left: 20px; }
  .good { color: var(--good); } .fair { color: var(--fair); } .bad { color: var(--bad); } .muted { color: var(--muted); }
  .state { white-space: nowrap; }
  .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 12px; margin: 0 0 12px; }
  .figures div { border: 1px solid var(--line); border-radius: 6px; padding: 12px 14px; break-inside: avoid; }
  .figures dt { color: var(--muted); font-size: 13px; } .figures dd { margin: 2px 0 0; font-size: 20px; font-weight: 600; }
  .figures dd small { display: block; font-size: 13px; font-weight: 400; color: var(--muted); }
  table { width: 100%; border-collapse: collapse; font-size: 14px; }
  caption { text-align: left; color: var(--muted); padding: 0 0 6px; }
  th, td { text-align: left; vertical-align: top; padding: 7px 12px 7px 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
  thead th { border-top: 0; color: var(--muted); font-weight: 500; white-space: nowrap; } tbody th { font-weight: 500; }
  tr { break-inside: avoid; } td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
  code, pre { font: 13px/1.5 ui-monospace, Cascadia Mono, Consolas, Menlo, monospace; }
  .word { overflow-wrap: break-word; }
  pre { background: var(--well); border: 1px solid var(--line); border-radius: 4px; padding: 9px 12px; white-space: pre-wrap; overflow-wrap: anywhere; margin: 8px 0; }
  svg { width: 100%; height: auto; display: block; margin: 0 0 16px; } svg text { font: 12px system-ui, Arial, sans-serif; fill: var(--ink); }
  footer { margin-top: 44px; border-top: 1px solid var(--line); padding-top: 12px; color: var(--muted); font-size: 13px; }
  @media print { main { max-width: none; padding: 0; } body { font-size: 11pt; } }
  @page { margin: 18mm 16mm; }`;

/** `good`, `fair`, `bad` and `muted` are classes of the page. */
export type Tone = 'good' | 'fair' | 'bad' | 'muted';

/** A table with headings for readers and for screen readers; the first cell of a row names it. */
export const table = (caption: string, headings: readonly string[], rows: readonly (readonly Markup[])[]): Markup =>
  markup`<table>
<caption>${caption}</caption>
<thead><tr>${headings.map((heading) => markup`<th scope="col">${heading}</th>`)}</tr></thead>
<tbody>
${rows.map(
  ([
    name,
    ...cells
  ]) => markup`<tr><th scope="row">${name ?? ''}</th>${cells.map((cell) => markup`<td>${cell}</td>`)}</tr>
`,
)}</tbody>
</table>
`;

export const text = (value: string | number): Markup => markup`${String(value)}`;

/** For columns of short words, which a narrow table would otherwise break anywhere. */
export const word = (value: string): Markup => markup`<span class="word">${value}</span>`;

export const toned = (tone: Tone, value: string): Markup => markup`<span class="state ${tone}">${value}</span>`;

export const list = (items: readonly string[]): Markup =>
  markup`<ul>${items.map((item) => markup`<li>${item}</li>`)}</ul>
`;

/** One figure with its label and what it is held against. */
export const figure = (label: string, value: string, note: string): Markup =>
  markup`<div><dt>${label}</dt><dd>${value}<small>${note}</small></dd></div>
`;
