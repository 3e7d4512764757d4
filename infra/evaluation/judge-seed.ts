import type { Strand } from '../traffic/call.ts';
import { generateTraffic, mixed } from '../traffic/generate.ts';
import type { TrafficParameters } from '../traffic/parameters.ts';
import type { Site } from '../traffic/site.ts';
import type { Alert, Cost } from './alert.ts';
import { decomposition } from './baselines/decomposition.ts';
import { fixedThresholds } from './baselines/fixed-thresholds.ts';
import { meanAndDeviation } from './baselines/mean-and-deviation.ts';
import { newTerms } from './baselines/new-terms.ts';
import { hourlySeries } from './baselines/series.ts';
import { judgeWithOurs, learn } from './ours.ts';
import { type Scored, scoreRun } from './score.ts';

export const TOOLS = ['ours', 'fixed', 'mean', 'season', 'terms', 'market'] as const;
export type Tool = (typeof TOOLS)[number];

/** What one HSM of one seed gave. */
export interface SeedResult {
  seed: number;
  hsm: string;
  weeks: number;
  scored: Record<Tool, Scored>;
  adversarial: Record<Tool, Scored>;
  cost: Cost;
  memoryBytes: number;
}

export function judgeSeed(
  seed: number,
  index: number,
  options: { parameters: TrafficParameters; only?: readonly string[] },
): SeedResult {
  const traffic = generateTraffic(seed, index, options);
  const { site, clean, attacked, adversarial } = traffic;
  const learnt = learn(site, clean);
  const run = (strand: Strand) => {
    const ours = judgeWithOurs(site, strand, learnt);
    return { ours, alerts: { ours: ours.alerts, ...baselines(site, strand) } };
  };
  const plain = run(clean);
  const score = (strand: Strand): Record<Tool, Scored> => {
    const { alerts } = strand.labels.length === 0 ? plain : run(mixed(traffic, strand));
    const scored = TOOLS.map((tool) => [tool, scoreRun(seed, strand.labels, alerts[tool], plain.alerts[tool])]);
    return Object.fromEntries(scored) as Record<Tool, Scored>;
  };
  return {
    seed,
    hsm: site.hsm,
    weeks: options.parameters.weeks,
    scored: score(attacked),
    adversarial: score(adversarial),
    cost: plain.ours.cost,
    memoryBytes: plain.ours.memoryBytes,
  };
}

/** Every baseline on the same rows, and all of them at once. */
function baselines(site: Site, strand: Strand): Record<Exclude<Tool, 'ours'>, Alert[]> {
  const series = hourlySeries(site, strand);
  const fixed = fixedThresholds(site, strand);
  const mean = meanAndDeviation(site, series);
  const season = decomposition(site, series);
  const terms = newTerms(site, strand);
  return { fixed, mean, season, terms, market: [...fixed, ...mean, ...season, ...terms] };
}
