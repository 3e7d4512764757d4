import { expect, test } from 'vitest';
import { judgeSeed, TOOLS } from '../../../infra/evaluation/judge-seed.ts';
import { minutes, printReport } from '../../../infra/evaluation/report.ts';
import { bootstrap, missedTargets, share, summarise } from '../../../infra/evaluation/summary.ts';
import { DEFAULTS } from '../../../infra/traffic/parameters.ts';

const parameters = { ...DEFAULTS, historyWeeks: 1, weeks: 1 };
const result = judgeSeed(2, 0, { parameters, only: ['S2', 'S12', 'S19'] });

test('every tool answers for the same attacks, and all baselines together find what any of them finds', () => {
  const labels = TOOLS.map((tool) => result.scored[tool].outcomes.map(({ label }) => label.id).join());
  expect(new Set(labels).size).toBe(1);
  const found = (tool: (typeof TOOLS)[number]) => share(result.scored[tool].outcomes);
  for (const tool of ['fixed', 'mean', 'season', 'terms'] as const)
    expect(found('market')).toBeGreaterThanOrEqual(found(tool));
  expect(found('ours')).toBeGreaterThan(0);
});

test('the report names every attack, what was missed and the targets', () => {
  const text = printReport([result], { seeds: '2', seconds: 1, processor: 'a processor' });
  for (const name of ['S2 ', 'S12 ', 'S19.decoy', 'S19.dormant', 'seeds 2', 'ours', 'all four'])
    expect(text).toContain(name);
  expect(text).not.toContain('NaN');
  const faults = missedTargets(summarise([result], 'ours'));
  expect(text).toContain(faults[0] ?? 'Every target is met.');
});

test('targets are missed by being on the wrong side', () => {
  const met = {
    ...summarise([result], 'ours'),
    ...{ recallByRule: 1, recallByStatistics: 0.9, precisionByRule: 0.97, noticesPerIncident: 1 },
    byRuleFromEvent: { p50: 9, p95: 16 },
    falsePositives: { medium: { value: 0.8, low: 0, high: 1 }, high: 0.1, critical: 0.01, byRule: 0.2 },
  };
  expect(missedTargets(met)).toEqual([]);
  expect(missedTargets({ ...met, recallByRule: 0.99 })).toHaveLength(1);
  expect(missedTargets({ ...met, byRuleFromEvent: { p50: Number.NaN, p95: 16 } })).toHaveLength(1);
  expect(missedTargets({ ...met, falsePositives: { ...met.falsePositives, critical: 0.03 } })).toHaveLength(1);
});

test('an interval holds its value and narrows with the number of HSMs', () => {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const few = bootstrap([0, 1, 0, 1], mean);
  const many = bootstrap(
    Array.from({ length: 400 }, (_, index) => index % 2),
    mean,
  );
  for (const { value, low, high } of [few, many]) expect(low <= value && value <= high).toBe(true);
  expect(many.high - many.low).toBeLessThan(few.high - few.low);
});

test('times are written in minutes, and in hours when they are long', () => {
  expect([minutes(12.4), minutes(600), minutes(Number.NaN)]).toEqual(['12 min', '10.0 h', '–']);
});
