import { describe, expect, test } from 'vitest';
import { createReader } from '../../../infra/evaluation/reader.ts';
import { DAY, HOUR, MINUTE } from '../../../infra/traffic/calendar.ts';
import type { TrafficCall } from '../../../infra/traffic/call.ts';
import { generateTraffic, mixed } from '../../../infra/traffic/generate.ts';
import { DEFAULTS } from '../../../infra/traffic/parameters.ts';
import type { DetectionFacts } from '../../../shared/detection/detection-facts.ts';

const traffic = generateTraffic(11, 0, { parameters: { ...DEFAULTS, historyWeeks: 1, weeks: 1 } });
const { site, clean, attacked } = traffic;

function play(strand = clean): DetectionFacts[] {
  const reader = createReader(site, strand);
  const all: DetectionFacts[] = [];
  for (let facts = reader.next(); facts; facts = reader.next()) all.push(facts);
  return all;
}

const steps = play();

describe('what is played', () => {
  test('gives each row once, repeats of crypto calls too, and none before it could be queried', () => {
    const end = site.to - 2 * MINUTE;
    const stored = clean.calls.filter(({ arrived }) => arrived <= end);
    const isCrypto = ({ path, status }: TrafficCall) => /(wrapkey|sign)$/.test(path) && status < 400;
    const rows = stored.reduce((sum, call) => sum + call.count + (isCrypto(call) ? call.repeated : 0), 0);
    expect(steps.flatMap(({ calls }) => calls).reduce((sum, { count }) => sum + count, 0)).toBe(rows);
    for (const { now, calls } of steps) {
      const settled = Date.parse(now) - 2 * MINUTE;
      expect(calls.every(({ arrived, last }) => Date.parse(arrived) <= settled && last <= arrived)).toBe(true);
    }
  });

  test('gives each hour once, when it is closed', () => {
    const seen = new Set<string>();
    for (const { now, hours } of steps) {
      for (const { hour, key, verb, caller } of hours) {
        const name = `${hour} ${key} ${verb} ${caller.oid}`;
        expect(seen.has(name)).toBe(false);
        seen.add(name);
        const age = Date.parse(now) - Date.parse(hour);
        expect(age).toBeGreaterThanOrEqual(HOUR + 15 * MINUTE);
        expect(age).toBeLessThan(HOUR + 20 * MINUTE);
      }
    }
    expect(seen.size).toBeGreaterThan(1000);
  });

  test('is the same after history was passed over', () => {
    const reader = createReader(site, clean);
    reader.skipTo(site.judged);
    const { hours, calls, arrivals, keys, intents, canarySuccesses } = reader.next() as DetectionFacts;
    const whole = steps.find(({ now }) => now === new Date(reader.now()).toISOString()) as DetectionFacts;
    expect({ hours, calls, arrivals, keys, intents, canarySuccesses }).toEqual({
      ...{ hours: whole.hours, calls: whole.calls, arrivals: whole.arrivals, keys: whole.keys },
      ...{ intents: whole.intents, canarySuccesses: whole.canarySuccesses },
    });
  });

  test('tells the intent before the call that it announces, and the key version that it made after', () => {
    const rotation = steps.find(({ calls }) => calls.some(({ class: of }) => of === 'key.rotate')) as DetectionFacts;
    const call = rotation.calls.find(({ class: of }) => of === 'key.rotate');
    expect(
      rotation.intents.some(({ target, clientId }) => target === `keys/${call?.key}` && clientId === call?.caller.app),
    ).toBe(true);
    const key = rotation.keys.find(({ name }) => name === call?.key);
    expect(Date.parse(key?.versions.at(-1)?.createdOn ?? '')).toBeLessThanOrEqual(Date.parse(rotation.now));
  });

  test('goes dark while nothing is logged, and the metric and our own call do not', () => {
    const label = attacked.labels.find(({ id }) => id === 'S14');
    const from = label?.from ?? 0;
    const dark = play(mixed(traffic, attacked)).filter(({ now }) => {
      const at = Date.parse(now);
      return at > from + 2 * HOUR && at < from + 4 * HOUR;
    });
    expect(dark.length).toBeGreaterThan(10);
    expect(dark.flatMap(({ calls }) => calls.filter(({ first }) => Date.parse(first) > from))).toEqual([]);
    for (const { canarySuccesses, serviceHits } of dark) {
      expect(canarySuccesses?.length).toBeGreaterThan(20);
      expect(serviceHits?.some(({ quarter, hits }) => Date.parse(quarter) > from && hits > 0)).toBe(true);
    }
  });

  test('answers a question with what changed since the last', () => {
    const scene = mixed(traffic, attacked);
    const grant = scene.changes.find((change) => change.kind === 'granted' && change.at > site.judged);
    const looks = play(scene).filter(
      ({ lookedUp: { assignments, assignmentsBefore } }) => assignments !== assignmentsBefore,
    );
    expect(grant).toBeDefined();
    expect(looks.length).toBeGreaterThan(0);
    const soon = looks.some(({ now }) => Math.abs(Date.parse(now) - (grant?.at ?? 0)) < DAY / 12);
    expect(soon).toBe(true);
  });
});
