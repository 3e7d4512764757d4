import { groupBy } from '../../shared/detection/group-by.ts';
import { type SeedResult, TOOLS, type Tool } from './judge-seed.ts';
import type { Outcome } from './score.ts';
import { type Interval, missedTargets, quantiles, share, sum, summarise, type ToolSummary } from './summary.ts';

const TITLES: Record<Tool, string> = {
  ours: 'ours',
  fixed: 'fixed',
  mean: 'mean+3σ',
  season: 'season',
  terms: 'new terms',
  market: 'all four',
};

const TITLES_IN_ORDER = TOOLS.map((tool) => TITLES[tool]);

const FIRST = 44;
const COLUMN = 10;
/** After the columns. */
const LAST = 20;

const row = (name: string, cells: readonly string[], last = ''): string =>
  `  ${name.padEnd(FIRST)}${cells.map((cell) => cell.padStart(COLUMN)).join('')}${last.padStart(LAST)}`.trimEnd();

const part = (value: number): string => (Number.isFinite(value) ? value.toFixed(2) : '–');
const spread = ({ low, high }: Interval): string => `${part(low)} to ${part(high)}`;

export function minutes(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value < 100 ? `${value.toFixed(0)} min` : `${(value / 60).toFixed(1)} h`;
}

const times = ({ p50, p95 }: { p50: number; p95: number }): string => `${minutes(p50)} / ${minutes(p95)}`;

type Cell = (summary: ToolSummary) => string;

const LINES: [name: string, cell: Cell, interval?: (summary: ToolSummary) => Interval][] = [
  ['Recall, all attacks', ({ recall }) => part(recall.value), ({ recall }) => recall],
  ['  critical attacks', ({ recallCritical }) => part(recallCritical)],
  ['  found by rule', ({ recallByRule }) => part(recallByRule)],
  ['  found by comparison with the usual', ({ recallByStatistics }) => part(recallByStatistics)],
  ['  by an intruder who knows the rules', ({ recallAdversarial }) => part(recallAdversarial)],
  ['  found within the target time', ({ inTime }) => part(inTime)],
  [
    'False positives / HSM-week, Medium and above',
    ({ falsePositives }) => part(falsePositives.medium.value),
    ({ falsePositives }) => falsePositives.medium,
  ],
  ['  of these by rule', ({ falsePositives }) => part(falsePositives.byRule)],
  ['  High and above', ({ falsePositives }) => part(falsePositives.high)],
  ['  Critical', ({ falsePositives }) => part(falsePositives.critical)],
  ['Precision, Medium and above', ({ precision }) => part(precision)],
  ['  by rule', ({ precisionByRule }) => part(precisionByRule)],
  ['Time to detect from the event, p50', ({ fromEvent }) => minutes(fromEvent.p50)],
  ['  p95', ({ fromEvent }) => minutes(fromEvent.p95)],
  ['  from the arrival of its first row, p50', ({ fromArrival }) => minutes(fromArrival.p50)],
  ['  p95', ({ fromArrival }) => minutes(fromArrival.p95)],
  ['  by rule, from the event, p50', ({ byRuleFromEvent }) => minutes(byRuleFromEvent.p50)],
  ['  p95', ({ byRuleFromEvent }) => minutes(byRuleFromEvent.p95)],
  ['Notices per attack found', ({ noticesPerIncident }) => part(noticesPerIncident)],
  ['First alert names who and what', ({ named }) => part(named)],
];

export interface Run {
  seeds: string;
  seconds: number;
  processor: string;
}

/** The whole report as text. */
export function printReport(results: readonly SeedResult[], run: Run): string {
  const summaries = TOOLS.map((tool) => summarise(results, tool));
  const ours = summarise(results, 'ours');
  const weeks = sum(results.map((each) => each.weeks));
  const rows = sum(results.map(({ cost }) => cost.rows)) / 1e6;
  return [
    '',
    `Detection on synthetic traffic: seeds ${run.seeds}, ${results.length} HSMs, ${weeks} HSM-weeks, ${rows.toFixed(1)} million rows`,
    `${run.seconds.toFixed(0)} s on ${run.processor}. Intervals are 95 %, bootstrapped over HSMs. Precision depends on how often the generator attacks.`,
    '',
    row('', TITLES_IN_ORDER, 'ours, 95 %'),
    ...LINES.map(([name, cell, interval]) => row(name, summaries.map(cell), interval && spread(interval(ours)))),
    '',
    ...costLines(results),
    '',
    row('Recall by attack', TITLES_IN_ORDER, 'ours, p50 / p95'),
    ...byAttack(results, 'scored'),
    '',
    '  By an intruder who knows the rules',
    ...byAttack(results, 'adversarial'),
    '',
    '  Missed by ours',
    ...missed(results),
    '',
    '  False positives of ours',
    ...wrong(results),
    '',
    ...targets(ours),
    '',
  ].join('\n');
}

function costLines(results: readonly SeedResult[]): string[] {
  const million = sum(results.map(({ cost }) => cost.rows)) / 1e6;
  const groups = sum(results.map(({ cost }) => cost.groups)) / million;
  const megabytes = sum(results.map(({ cost }) => cost.bytes)) / million / 1e6;
  const memory = Math.max(...results.map(({ memoryBytes }) => memoryBytes)) / 1000;
  return [
    `  Ours reads ${Math.round(groups).toLocaleString('en')} groups, ${megabytes.toFixed(0)} MB, per million rows, and remembers ${memory.toFixed(0)} kB of an HSM at most.`,
  ];
}

function byAttack(results: readonly SeedResult[], strand: 'scored' | 'adversarial'): string[] {
  const of = (tool: Tool) =>
    groupBy(
      results.flatMap((each) => each[strand][tool].outcomes),
      ({ label }) => label.id,
    );
  const tools = TOOLS.map(of);
  const order = [...(tools[0]?.entries() ?? [])].sort(
    ([left], [right]) => Number(/\d+/.exec(left)) - Number(/\d+/.exec(right)) || (left < right ? -1 : 1),
  );
  return order.map(([id, ours]) => {
    const cells = tools.map((each) => part(share(each.get(id) ?? [])));
    const found = ours.filter((each) => each.found).map(({ fromEvent }) => fromEvent);
    return row(`${id.padEnd(20)} ${expectedOf(ours)}`, cells, times(quantiles(found)));
  });
}

const expectedOf = ([first]: readonly Outcome[]): string =>
  `${first?.label.expected.join(' ') ?? ''}${first?.label.critical ? ', critical' : ''}`;

function missed(results: readonly SeedResult[]): string[] {
  const outcomes = results.flatMap(({ scored, adversarial }) => [
    ...scored.ours.outcomes,
    ...adversarial.ours.outcomes,
  ]);
  const byReason = groupBy(
    outcomes.filter(({ found }) => !found),
    ({ label, why }) => `${label.id.padEnd(20)} ${why.replace(/[0-9a-f-]{32,}|\d+(\.\d+)?/g, '…')}`,
  );
  const lines = [...byReason].sort(([left], [right]) => (left < right ? -1 : 1));
  if (lines.length === 0) return ['  nothing'];
  return lines.map(([reason, all]) => `  ${reason.slice(0, 150)}  (seeds ${few(all.map(({ seed }) => seed))})`);
}

function wrong(results: readonly SeedResult[]): string[] {
  const episodes = results.flatMap(({ seed, scored }) => scored.ours.falsePositives.map((each) => ({ ...each, seed })));
  const groups = groupBy(episodes, ({ detector, severity }) => `${detector}, ${severity}`);
  const lines = [...groups].sort(([, left], [, right]) => right.length - left.length);
  if (lines.length === 0) return ['  none'];
  return lines.map(
    ([name, all]) =>
      `  ${String(all.length).padStart(4)}  ${name.padEnd(34)} seeds ${few(all.map(({ seed }) => seed))}: ${all[0]?.alerts[0]?.title.slice(0, 110)}`,
  );
}

function few(seeds: readonly number[]): string {
  const all = [...new Set(seeds)].sort((left, right) => left - right);
  return all.length > 8 ? `${all.slice(0, 8).join(' ')} …` : all.join(' ');
}

function targets(ours: ToolSummary): string[] {
  const faults = missedTargets(ours);
  return faults.length === 0
    ? ['  Every target is met.']
    : ['  Targets missed by ours', ...faults.map((fault) => `  ${fault}`)];
}
