import { describe, expect, test } from 'vitest';
import { decomposition } from '../../../infra/evaluation/baselines/decomposition.ts';
import { fixedThresholds } from '../../../infra/evaluation/baselines/fixed-thresholds.ts';
import { meanAndDeviation } from '../../../infra/evaluation/baselines/mean-and-deviation.ts';
import { newTerms } from '../../../infra/evaluation/baselines/new-terms.ts';
import { hourlySeries, type Series } from '../../../infra/evaluation/baselines/series.ts';
import { DAY, HOUR } from '../../../infra/traffic/calendar.ts';
import { generateTraffic, mixed } from '../../../infra/traffic/generate.ts';
import { randomFor } from '../../../infra/traffic/random.ts';

const traffic = generateTraffic(13);
const { site, clean } = traffic;
const hours = (site.to - site.from) / HOUR;
/** An hour of a plain day: neither weekend nor end of a month. */
const plain = Array.from({ length: 24 * 14 }, (_, hour) => (site.judged - site.from) / HOUR + hour).find((hour) => {
  const at = site.from + hour * HOUR;
  return new Date(at).getUTCHours() === 3 && site.calendar.isWorkday(at) && !site.calendar.isMonthEnd(at);
}) as number;

function series(countOf: (hour: number) => number, caller = { oid: 'app', app: 'app', upn: '' }): Map<string, Series> {
  const counts = Float64Array.from({ length: hours }, (_, hour) => countOf(hour));
  return new Map([['s', { name: 's', key: 'k', caller, counts }]]);
}

const random = randomFor('baselines');
const noise = Array.from({ length: hours }, () => random.poisson(20));
const byDay = noise.map((count, hour) => count + (hour % 24 >= 8 && hour % 24 < 18 ? 1000 : 0));
const atHour = (alerts: { at: number }[], hour: number) =>
  alerts.some(({ at }) => Math.floor((at - site.from - 1.25 * HOUR) / HOUR) === hour);

describe('mean and three deviations', () => {
  test('sees a burst in a flat series', () => {
    const alerts = meanAndDeviation(
      site,
      series((hour) => (noise[hour] ?? 0) + (hour === plain ? 500 : 0)),
    );
    expect(atHour(alerts, plain)).toBe(true);
  });

  test('is blind at night to what is usual by day', () => {
    const alerts = meanAndDeviation(
      site,
      series((hour) => (byDay[hour] ?? 0) + (hour === plain ? 900 : 0)),
    );
    expect(atHour(alerts, plain)).toBe(false);
  });
});

describe('decomposition', () => {
  test('sees at night what is usual by day, and not the day', () => {
    const alerts = decomposition(
      site,
      series((hour) => (byDay[hour] ?? 0) + (hour === plain ? 900 : 0)),
    );
    expect(atHour(alerts, plain)).toBe(true);
    expect(alerts.length).toBeLessThan(10);
  });

  test('follows a straight line', () => {
    expect(
      decomposition(
        site,
        series((hour) => (byDay[hour] ?? 0) + hour),
      ).length,
    ).toBeLessThan(10);
  });

  test('is told what a failover of SQL opens, once a day', () => {
    const server = site.sql[0];
    const burst = (hour: number) => (hour === plain || hour === plain + 2 ? (server?.databases ?? 0) : 0);
    const alerts = decomposition(
      site,
      series((hour) => (noise[hour] ?? 0) + burst(hour), server?.caller),
    );
    expect(atHour(alerts, plain)).toBe(false);
    expect(atHour(alerts, plain + 2)).toBe(true);
  });
});

describe('market rules', () => {
  test('of 25 a day alert on every busy service, and say nothing of what was announced', () => {
    const alerts = fixedThresholds(site, clean);
    const own = new Set(Object.values(site.own).map(({ caller }) => caller.oid));
    expect(alerts.some(({ callers }) => callers.includes(site.envelope.caller.oid))).toBe(true);
    expect(alerts.filter(({ callers }) => callers.some((caller) => own.has(caller)))).toEqual([]);
  });

  test('of sensitive operations see an unplanned backup and a key that is deleted', () => {
    const alerts = fixedThresholds(site, mixed(traffic, traffic.attacked));
    const titles = new Set(
      alerts.filter(({ detector }) => detector === 'sensitive operations').map(({ title }) => title),
    );
    expect([...titles]).toEqual(
      expect.arrayContaining(['BackupCreate', 'KeyDelete', 'KeyBackup', 'SecurityDomainBackup']),
    );
  });

  test('of new terms see who was not there for seven days', () => {
    const dormant = traffic.attacked.labels.find(({ id }) => id === 'S19.dormant');
    const alerts = newTerms(site, mixed(traffic, traffic.attacked));
    const hit = alerts.find(
      ({ keys, at }) => keys[0] === dormant?.keys[0] && at >= (dormant?.from ?? 0) && at < (dormant?.from ?? 0) + DAY,
    );
    expect(hit?.callers).toContain(dormant?.callers[0]);
  });
});

test('series count what had arrived when an hour was closed', () => {
  const counted = [...hourlySeries(site, clean).values()].reduce(
    (sum, { counts }) => sum + counts.reduce((a, b) => a + b, 0),
    0,
  );
  const all = clean.calls
    .filter(({ status, path }) => status < 400 && /(wrapkey|sign)$/.test(path))
    .reduce((sum, { count, repeated }) => sum + count + repeated, 0);
  expect(counted).toBeLessThanOrEqual(all);
  expect(counted / all).toBeGreaterThan(0.95);
});
