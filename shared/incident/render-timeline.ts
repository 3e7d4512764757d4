import { type Markup, markup } from '../notification/markup.ts';
import { type IncidentReport, printTime } from './report.ts';

const WIDTH = 860;
const LEFT = 110;
const RIGHT = 24;
const TRACK = WIDTH - LEFT - RIGHT;
const LANE = 30;

/** One lane each for what was found, what people decided, and what was done. */
const LANES: { label: string; kinds: ReadonlySet<string>; colour: string }[] = [
  { label: 'Found', kinds: new Set(['finding', 'alert', 'reopened']), colour: '#b3261e' },
  { label: 'Decided', kinds: new Set(['decision', 'verdict', 'declared', 'closed']), colour: '#8a5200' },
  { label: 'Done', kinds: new Set(['evidence', 'step', 'containment', 'verification', 'putBack']), colour: '#1d6b53' },
  { label: 'Told', kinds: new Set(['notice']), colour: '#52606d' },
];

/** When it happened, drawn to scale; the table below it says the same in words. */
export function renderIncidentTimeline({
  timeline,
  openedAt,
  closedAt,
}: Pick<IncidentReport, 'timeline' | 'openedAt' | 'closedAt'>): Markup {
  const instants = timeline.map(({ at }) => Date.parse(at)).filter((at) => !Number.isNaN(at));
  const from = Math.min(Date.parse(openedAt), ...instants);
  const span = Math.max(Math.max(Date.parse(closedAt), ...instants) - from, 1);
  const height = LANES.length * LANE + 26;
  const label = `Timeline of ${timeline.length} entries over ${printTime(Math.round(span / 1000))}`;
  return markup`<svg viewBox="0 0 ${String(WIDTH)} ${String(height)}" role="img" aria-label="${label}">
${[0, 0.25, 0.5, 0.75, 1].map((part) => gridLine(part, span, height))}${LANES.map(
  ({ label: name, kinds, colour }, index) => {
    const y = index * LANE + 16;
    const marks = timeline
      .filter(({ kind }) => kinds.has(kind))
      .map(({ at }) => {
        const share = Math.min(Math.max((Date.parse(at) - from) / span, 0), 1) || 0;
        return markup`<circle cx="${coordinate(LEFT + share * TRACK)}" cy="${String(y)}" r="5" fill="${colour}" fill-opacity="0.75"/>`;
      });
    return markup`<text x="0" y="${String(y + 4)}">${name}</text>${marks}
`;
  },
)}</svg>
`;
}

function gridLine(part: number, span: number, height: number): Markup {
  const x = coordinate(LEFT + part * TRACK);
  const anchor = part === 1 ? 'end' : part === 0 ? 'start' : 'middle';
  const at = part === 0 ? 'first sign' : printTime(Math.round((span * part) / 1000));
  return markup`<line x1="${x}" y1="0" x2="${x}" y2="${String(height - 20)}" stroke="#d3d9df"/><text x="${x}" y="${String(height - 5)}" text-anchor="${anchor}">${at}</text>
`;
}

const coordinate = (value: number): string => String(Math.round(value * 10) / 10);
