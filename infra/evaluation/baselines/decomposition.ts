import { HOUR } from '../../traffic/calendar.ts';
import type { Site } from '../../traffic/site.ts';
import type { Alert } from '../alert.ts';
import { CLOSES_AFTER, createAllowances, type Series } from './series.ts';

const WINDOW = 28 * 24;
const PERIOD = 7 * 24;
const THRESHOLD = 3;

/**
 * Kusto's series_decompose_anomalies by hour for each key and caller, as its documentation describes it: the seasonal part is
 * the median of each hour of the week, the trend a least-squares line through the rest, and the residual is scored by its
 * distance beyond the 10th and 90th percentile in units of their range (`ctukey`). Our own re-implementation; Kusto was not
 * run. https://learn.microsoft.com/kusto/query/series-decompose-anomalies-function
 *
 * The season of a day is fitted once, at its beginning. Told: failovers and month ends.
 */
export function decomposition(site: Site, series: ReadonlyMap<string, Series>): Alert[] {
  const allow = createAllowances(site);
  const first = Math.max(WINDOW, (site.judged - site.from) / HOUR);
  const alerts: Alert[] = [];
  for (const each of series.values()) {
    const { counts, caller, key, name } = each;
    let fit = fitOf(counts, first);
    for (let hour = first; hour < counts.length; hour++) {
      if (hour % 24 === 0) fit = fitOf(counts, hour);
      const count = counts[hour] ?? 0;
      if (count === 0) continue;
      const expected = fit.expected(hour);
      const residual = allow(each, hour, count, expected) - expected;
      const score = (residual - fit.high) / fit.range;
      if (score <= THRESHOLD) continue;
      const at = site.from + hour * HOUR + CLOSES_AFTER;
      const title = `${count} calls in an hour, ${expected.toFixed(1)} expected, score ${score.toFixed(1)}`;
      const who = { callers: [caller.oid], keys: [key] };
      alerts.push({
        id: `season ${name} ${hour}`,
        detector: 'decomposition',
        at,
        severity: 'Medium',
        score: 40,
        ...who,
        title,
      });
    }
  }
  return alerts;
}

/** Season, line and spread of the 28 days before an hour. */
function fitOf(counts: Float64Array, end: number) {
  const start = end - WINDOW;
  const season = new Float64Array(PERIOD);
  const weeks = WINDOW / PERIOD;
  const points: number[] = new Array(weeks);
  for (let phase = 0; phase < PERIOD; phase++) {
    for (let week = 0; week < weeks; week++) points[week] = counts[start + phase + week * PERIOD] ?? 0;
    points.sort((left, right) => left - right);
    season[(start + phase) % PERIOD] = ((points[weeks / 2 - 1] ?? 0) + (points[weeks / 2] ?? 0)) / 2;
  }
  const rest = new Float64Array(WINDOW);
  let sum = 0;
  let weighted = 0;
  const middle = (WINDOW - 1) / 2;
  for (let index = 0; index < WINDOW; index++) {
    const value = (counts[start + index] ?? 0) - (season[(start + index) % PERIOD] ?? 0);
    rest[index] = value;
    sum += value;
    weighted += value * (index - middle);
  }
  const mean = sum / WINDOW;
  const slope = weighted / ((WINDOW * (WINDOW * WINDOW - 1)) / 12);
  for (let index = 0; index < WINDOW; index++) rest[index] = (rest[index] ?? 0) - mean - slope * (index - middle);
  rest.sort();
  const [low, high] = [rest[Math.floor(WINDOW * 0.1)] ?? 0, rest[Math.floor(WINDOW * 0.9)] ?? 0];
  return {
    high,
    // A series that never varies has no range: then one call is the unit.
    range: Math.max(high - low, 1),
    expected: (hour: number) => (season[hour % PERIOD] ?? 0) + mean + slope * (hour - start - middle),
  };
}
