import { HOUR } from '../../traffic/calendar.ts';
import type { Site } from '../../traffic/site.ts';
import type { Alert } from '../alert.ts';
import { CLOSES_AFTER, createAllowances, type Series } from './series.ts';

const WINDOW = 14 * 24;

/** More than the mean of 14 days and three standard deviations: what most write first. Told: failovers and month ends. */
export function meanAndDeviation(site: Site, series: ReadonlyMap<string, Series>): Alert[] {
  const allow = createAllowances(site);
  const first = (site.judged - site.from) / HOUR;
  const alerts: Alert[] = [];
  for (const each of series.values()) {
    const { counts, caller, key, name } = each;
    let sum = 0;
    let squares = 0;
    for (let hour = 0; hour < counts.length; hour++) {
      const count = counts[hour] ?? 0;
      if (hour >= first && hour >= WINDOW && count > 0) {
        const mean = sum / WINDOW;
        const deviation = Math.sqrt(Math.max(0, squares / WINDOW - mean * mean));
        if (allow(each, hour, count, mean) > mean + 3 * deviation) {
          const at = site.from + hour * HOUR + CLOSES_AFTER;
          const title = `${count} calls in an hour, ${mean.toFixed(1)} usual`;
          const who = { callers: [caller.oid], keys: [key] };
          alerts.push({
            id: `mean ${name} ${hour}`,
            detector: 'mean + 3σ',
            at,
            severity: 'Medium',
            score: 40,
            ...who,
            title,
          });
        }
      }
      const leaving = hour >= WINDOW ? (counts[hour - WINDOW] ?? 0) : 0;
      sum += count - leaving;
      squares += count * count - leaving * leaving;
    }
  }
  return alerts;
}
