import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../infra/traffic/calendar.ts';
import type { Strand, TrafficCall } from '../../../infra/traffic/call.ts';
import { ATTACKS, generateTraffic, mixed } from '../../../infra/traffic/generate.ts';
import { DEFAULTS } from '../../../infra/traffic/parameters.ts';
import { rowsOf } from '../../../infra/traffic/rows.ts';

const SHORT = { ...DEFAULTS, historyWeeks: 1, weeks: 2 };
const hash = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');
const counted = (calls: TrafficCall[]) => calls.reduce((sum, { count }) => sum + count, 0);
const within = (value: number, low: number, high: number) => {
  expect(value).toBeGreaterThanOrEqual(low);
  expect(value).toBeLessThanOrEqual(high);
};

describe('a seed', () => {
  test('gives the same bytes, in this version and the next', () => {
    const { clean, attacked, adversarial } = generateTraffic(7, 0, { parameters: SHORT });
    const again = generateTraffic(7, 0, { parameters: SHORT });
    expect(hash([again.clean, again.attacked, again.adversarial])).toBe(hash([clean, attacked, adversarial]));
    expect(hash([clean, attacked, adversarial])).toBe(
      'e19f33688dda5f8cd83d3662d53302b5fed5952ea77bea6841a4e6ca724088fc',
    );
  });

  test('gives other traffic than the next seed and the next HSM', () => {
    const calls = ([seed, index]: [number, number]) =>
      hash(generateTraffic(seed, index, { parameters: SHORT }).clean.calls);
    const places: [number, number][] = [
      [7, 0],
      [8, 0],
      [7, 1],
    ];
    expect(new Set(places.map(calls)).size).toBe(3);
  });

  test('gives the same clean traffic and the same attack, whatever other attacks are asked for', () => {
    const all = generateTraffic(7, 0, { parameters: SHORT });
    const one = generateTraffic(7, 0, { parameters: SHORT, only: ['S20'] });
    expect(hash(one.clean)).toBe(hash(all.clean));
    expect(one.attacked.labels).toHaveLength(1);
    const start = (strand: Strand) => strand.labels.find(({ id }) => id === 'S20')?.from;
    expect(start(one.attacked)).toBe(start(all.attacked));
  });
});

describe('clean traffic', () => {
  const traffic = generateTraffic(3);
  const { site, clean } = traffic;
  const days = (site.to - site.from) / DAY;
  const of = (oid: string, key: string) =>
    clean.calls.filter(({ caller, key: name }) => caller.oid === oid && name === key);

  test('asks a storage key a few times an hour', () => {
    for (const { caller, key } of site.storage) {
      const crypto = of(caller.oid, key).filter(({ operation }) => /Wrap|Unwrap/i.test(operation));
      within(counted(crypto) / (days * 24), 2, 9);
    }
  });

  test('opens every database again when SQL fails over', () => {
    const failovers = site.sql.map(({ caller, key, databases }) => {
      const bursts = of(caller.oid, key).filter(({ count }) => count > 1);
      return counted(bursts) / databases;
    });
    // A bin may part a single call from its burst.
    for (const times of failovers) expect(Math.abs(times - Math.round(times))).toBeLessThan(0.1);
    expect(Math.max(...failovers)).toBeGreaterThan(0.9);
  });

  test('works by day and rests at the weekend', () => {
    const { calendar, signing } = site;
    const hours = of(signing.caller.oid, signing.key).filter(({ status }) => status === 200);
    const mean = (pick: (call: TrafficCall) => boolean, slots: (at: number) => boolean) => {
      let open = 0;
      for (let hour = site.from; hour < site.to; hour += HOUR) if (slots(hour)) open++;
      return counted(hours.filter(pick)) / open;
    };
    const localHour = (at: number) => new Date(calendar.local(at)).getUTCHours();
    const during = (test: (at: number) => boolean) => mean(({ at }) => test(at - (at % HOUR)), test);
    const peak = during((at) => localHour(at) === 13 && calendar.isWorkday(at));
    within(peak, 1200, 4000);
    expect(during((at) => localHour(at) === 3 && calendar.isWorkday(at))).toBeLessThan(peak / 10);
    within(during((at) => localHour(at) === 13 && !calendar.isWorkday(at)) / peak, 0.1, 0.5);
  });

  test('arrives minutes late, now and then much later, and one in a hundred twice', () => {
    const lags = clean.calls.map(({ at, span, arrived }) => (arrived - at - span) / MINUTE).toSorted((a, b) => a - b);
    const quantile = (share: number) => lags[Math.floor(lags.length * share)] ?? 0;
    within(quantile(0.5), 3.5, 4.6);
    within(quantile(0.95), 8.5, 13);
    expect(lags.at(-1)).toBeGreaterThan(30);
    const repeated = clean.calls.reduce((sum, call) => sum + call.repeated, 0) / counted(clean.calls);
    within(repeated, 0.005, 0.02);
  });

  test('announces what the automation does before it does it', () => {
    const rotations = clean.calls.filter(({ operation }) => operation === 'KeyRotate');
    expect(rotations.length).toBeGreaterThan(10);
    for (const { at, key, caller } of rotations) {
      const told = clean.intents.filter(
        (intent) =>
          intent.target === `keys/${key}` && intent.clientId === caller.app && intent.from <= at && at <= intent.to,
      );
      expect(told.length, key).toBeGreaterThan(0);
      expect(told[0]?.at).toBeLessThan(at);
    }
  });

  test('keeps each entry within one bin of ten minutes', () => {
    const astray = clean.calls.filter(
      ({ at, span }) => Math.floor(at / (10 * MINUTE)) !== Math.floor((at + span) / (10 * MINUTE)),
    );
    expect(astray).toEqual([]);
  });

  test('asks with the version that was there', () => {
    const early = clean.calls.filter(({ key, version, at }) => {
      const found = site.keys.get(key)?.versions.find((each) => each.version === version);
      return version !== '' && (found === undefined || found.createdOn > at);
    });
    expect(early).toEqual([]);
  });
});

describe('attacks', () => {
  const traffic = generateTraffic(5);
  const { site, attacked, adversarial } = traffic;

  test('are the 23 scenarios, each labelled', () => {
    expect(new Set(ATTACKS.map(({ id }) => id)).size).toBe(23);
    expect(attacked.labels.map(({ id }) => id).toSorted()).toEqual(
      ATTACKS.map(({ id, variant }) => (variant === undefined ? id : `${id}.${variant}`)).toSorted(),
    );
  });

  test.each([...attacked.labels, ...adversarial.labels])(
    '$id lies in what is judged, with time to find it',
    (label) => {
      expect(label.from).toBeGreaterThanOrEqual(site.judged);
      expect(label.until).toBeGreaterThanOrEqual(label.from);
      expect(label.deadline).toBeLessThanOrEqual(site.to + DAY);
      expect(label.callers.length + label.keys.length + Number(label.hsmWide)).toBeGreaterThan(0);
    },
  );

  test('lose what happens while nothing is logged, the rest stays as it was', () => {
    const both = mixed(traffic, attacked);
    expect(counted(both.calls)).toBe(counted(traffic.clean.calls) + counted(attacked.calls));
    const lost = both.calls.filter(({ arrived }) => arrived === Number.POSITIVE_INFINITY);
    expect(lost.length).toBeGreaterThan(50);
    expect(lost.every(({ at }) => attacked.silences.some(({ from, to }) => at >= from && at < to))).toBe(true);
    expect(traffic.clean.calls.some(({ arrived }) => arrived === Number.POSITIVE_INFINITY)).toBe(false);
  });
});

describe('rows', () => {
  const { site, clean } = generateTraffic(7, 0, { parameters: SHORT });
  const call = clean.calls.find(({ count, repeated }) => count > 100 && repeated > 0) as TrafficCall;

  test.each(['AZKVAuditLogs', 'AzureDiagnostics'] as const)(
    'of %s are as many as were counted, repeats once more',
    (table) => {
      const rows = rowsOf(site, call, table);
      expect(rows).toHaveLength(call.count + call.repeated);
      expect(new Set(rows.map(({ row }) => row.CorrelationId)).size).toBe(call.count);
      const times = rows.map(({ row }) => Date.parse(String(row.TimeGenerated)));
      expect([Math.min(...times), Math.max(...times)]).toEqual([call.at, call.at + call.span]);
      expect(rows[0]?.row.Type).toBe(table);
    },
  );
});
