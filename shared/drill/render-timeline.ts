import { type Markup, markup } from '../notification/markup.ts';
import { printSeconds } from './print-seconds.ts';
import type { DrillReport, DrillStep } from './report.ts';

const WIDTH = 860;
const LABELS = 210;
const FIGURES = 90;
const ROW = 26;
const TRACK = WIDTH - LABELS - FIGURES;
const LONGEST_LABEL = 30;

const COLOUR: Record<DrillStep['result'], string> = {
  done: '#1d6b53',
  failed: '#b3261e',
  skipped: '#a9b3bd',
  running: '#8a5200',
};

/** When each step ran, drawn to scale; the table beside it says the same in figures. */
export function renderTimeline({
  steps,
  startedOn,
  endedOn,
}: Pick<DrillReport, 'steps' | 'startedOn' | 'endedOn'>): Markup {
  const from = Date.parse(startedOn);
  const span = Math.max(Date.parse(endedOn) - from, 1);
  const height = steps.length * ROW + 30;
  const label = `Timeline of ${steps.length} steps over ${printSeconds(span / 1000)}`;
  return markup`<svg viewBox="0 0 ${String(WIDTH)} ${String(height)}" role="img" aria-label="${label}">
${[0, 0.25, 0.5, 0.75, 1].map((part) => gridLine(part, span, height))}${steps.map((step, index) => bar(step, index, from, span))}</svg>
`;
}

function gridLine(part: number, span: number, height: number): Markup {
  const x = coordinate(LABELS + part * TRACK);
  const anchor = part === 1 ? 'end' : part === 0 ? 'start' : 'middle';
  const at = part === 0 ? '0' : printSeconds((span * part) / 1000);
  return markup`<line x1="${x}" y1="0" x2="${x}" y2="${String(height - 20)}" stroke="#d3d9df"/><text x="${x}" y="${String(height - 5)}" text-anchor="${anchor}">${at}</text>
`;
}

function bar({ title, startedOn, endedOn, result }: DrillStep, index: number, from: number, span: number): Markup {
  const share = (iso: string) => Math.min(Math.max((Date.parse(iso) - from) / span, 0), 1) || 0;
  const [start, end] = [share(startedOn), endedOn === undefined ? 1 : share(endedOn)];
  // The shortest step still shows.
  const width = coordinate(Math.max((end - start) * TRACK, 3));
  const x = coordinate(LABELS + Math.min(start * TRACK, TRACK - 3));
  const y = index * ROW + 6;
  const letters = Array.from(title);
  const short = letters.length > LONGEST_LABEL ? `${letters.slice(0, LONGEST_LABEL - 1).join('')}…` : title;
  const took = endedOn === undefined ? result : printSeconds((Date.parse(endedOn) - Date.parse(startedOn)) / 1000);
  return markup`<text x="0" y="${String(y + 12)}">${short}</text><rect x="${x}" y="${String(y)}" width="${width}" height="14" rx="2" fill="${COLOUR[result] ?? COLOUR.skipped}"/><text x="${String(WIDTH)}" y="${String(y + 12)}" text-anchor="end">${took}</text>
`;
}

const coordinate = (value: number): string => String(Math.round(value * 10) / 10);
