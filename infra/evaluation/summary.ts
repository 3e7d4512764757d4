import { randomFor } from '../traffic/random.ts';
import { atLeast } from './alert.ts';
import type { SeedResult, Tool } from './judge-seed.ts';
import { isStatistical, type Outcome } from './score.ts';

export interface Interval {
  value: number;
  low: number;
  high: number;
}

/** What one tool amounts to over all seeds. Times are minutes. */
export interface ToolSummary {
  recall: Interval;
  recallCritical: number;
  recallByRule: number;
  recallByStatistics: number;
  recallAdversarial: number;
  inTime: number;
  falsePositives: { medium: Interval; high: number; critical: number; byRule: number };
  precision: number;
  precisionByRule: number;
  fromEvent: { p50: number; p95: number };
  fromArrival: { p50: number; p95: number };
  byRuleFromEvent: { p50: number; p95: number };
  noticesPerIncident: number;
  named: number;
}

const RESAMPLES = 1000;

export function summarise(results: readonly SeedResult[], tool: Tool): ToolSummary {
  const outcomes = results.flatMap(({ scored }) => scored[tool].outcomes);
  const adversarial = results.flatMap((each) => each.adversarial[tool].outcomes);
  const found = outcomes.filter((each) => each.found);
  const episodes = results.flatMap(({ scored }) => scored[tool].falsePositives);
  const weeks = sum(results.map((each) => each.weeks));
  const perWeek = (count: number) => count / weeks;
  const scored = results.map((each) => each.scored[tool]);
  return {
    recall: bootstrap(results, (sample) => share(sample.flatMap((each) => each.scored[tool].outcomes))),
    recallCritical: share(outcomes.filter(({ label }) => label.critical)),
    recallByRule: share(outcomes.filter(({ label }) => label.lane === 'rule')),
    recallByStatistics: share(outcomes.filter(({ label }) => label.lane === 'statistic')),
    recallAdversarial: share(adversarial),
    inTime: outcomes.filter((each) => each.inTime).length / outcomes.length,
    falsePositives: {
      medium: bootstrap(
        results,
        (sample) =>
          sum(sample.map((each) => each.scored[tool].falsePositives.length)) / sum(sample.map((each) => each.weeks)),
      ),
      high: perWeek(episodes.filter(({ severity }) => atLeast(severity, 'High')).length),
      critical: perWeek(episodes.filter(({ severity }) => severity === 'Critical').length),
      byRule: perWeek(episodes.filter(({ detector }) => !isStatistical(detector)).length),
    },
    precision: sum(scored.map((each) => each.truePositives)) / sum(scored.map((each) => each.positives)),
    precisionByRule:
      sum(scored.map((each) => each.byRule.truePositives)) / sum(scored.map((each) => each.byRule.positives)),
    fromEvent: quantiles(found.map(({ fromEvent }) => fromEvent)),
    fromArrival: quantiles(found.map(({ fromArrival }) => fromArrival)),
    byRuleFromEvent: quantiles(found.filter(({ label }) => label.lane === 'rule').map(({ fromEvent }) => fromEvent)),
    noticesPerIncident: sum(found.map(({ notices }) => notices)) / found.length,
    named: found.filter(({ named }) => named).length / found.length,
  };
}

export const share = (outcomes: readonly Outcome[]): number =>
  outcomes.filter(({ found }) => found).length / outcomes.length;

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const MINUTE = 60_000;

export function quantiles(values: readonly number[]): { p50: number; p95: number } {
  const sorted = values.filter(Number.isFinite).sort((left, right) => left - right);
  const at = (part: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN) / MINUTE;
  return { p50: at(0.5), p95: at(0.95) };
}

/** 95 % interval over HSMs, because the calls of one HSM have much in common. */
export function bootstrap<T>(items: readonly T[], of: (sample: readonly T[]) => number): Interval {
  const random = randomFor('bootstrap');
  const values = Array.from({ length: RESAMPLES }, () => of(items.map(() => random.pick(items)))).sort((a, b) => a - b);
  const at = (part: number) => values[Math.min(RESAMPLES - 1, Math.floor(RESAMPLES * part))] ?? Number.NaN;
  return { value: of(items), low: at(0.025), high: at(0.975) };
}

/** Targets of the design that a tool misses, in words. */
export function missedTargets(ours: ToolSummary): string[] {
  const { falsePositives: wrong } = ours;
  const targets: [name: string, value: number, least: number, most: number][] = [
    ['recall by rule', ours.recallByRule, 1, 1],
    ['precision by rule', ours.precisionByRule, 0.95, 1],
    ['recall by statistics', ours.recallByStatistics, 0.85, 1],
    ['false positives per HSM-week by statistics, Medium and above', wrong.medium.value - wrong.byRule, 0, 0.7],
    ['false positives per HSM-week, High and above', wrong.high, 0, 0.15],
    ['false positives per HSM-week, Critical', wrong.critical, 0, 0.02],
    ['minutes to detect by rule, p50', ours.byRuleFromEvent.p50, 0, 10],
    ['minutes to detect by rule, p95', ours.byRuleFromEvent.p95, 0, 17],
    ['notices per incident', ours.noticesPerIncident, 0, 1],
  ];
  return targets
    .filter(([, value, least, most]) => !(value >= least && value <= most))
    .map(
      ([name, value, least, most]) =>
        `${name} ${value.toFixed(2)}, target ${least > 0 ? `at least ${least}` : `at most ${most}`}`,
    );
}
