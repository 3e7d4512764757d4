import type { TrafficCall } from '../../traffic/call.ts';
import { generateTraffic, type Traffic } from '../../traffic/generate.ts';
import { DEFAULTS, type TrafficParameters } from '../../traffic/parameters.ts';
import { rowsOf } from '../../traffic/rows.ts';
import type { Site } from '../../traffic/site.ts';
import { realNow } from '../movable-date.ts';
import type { Observer } from './observer.ts';

const WEEK_MS = 7 * 24 * 3_600_000;

/** Six weeks of one HSM's consumers, laid so that four of them are history when the story begins. */
export interface Background {
  site: Site;
  rows: number;
  /** Moves an instant of the generator to the estate's time. */
  shift(at: number): number;
}

/** A small house: what a bank's application does in a minute, it does in an hour, because every row is read again and again. */
const PARAMETERS: TrafficParameters = {
  ...DEFAULTS,
  weeks: 2,
  storage: { ...DEFAULTS.storage, identities: 2, restartDays: 10_000 },
  minor: { keys: 2, perHour: 0.2 },
  sql: { ...DEFAULTS.sql, identities: 1, failoverDays: 10_000, databases: [20, 30] as [number, number] },
  application: { ...DEFAULTS.application, peak: [7, 9] as [number, number], night: 1, surgeDays: 10_000 },
  batch: { ...DEFAULTS.batch, size: 30, deviation: 3, nights: 0 },
  people: { ...DEFAULTS.people, admins: 3, burst: [5, 10] as [number, number], roleChangesPerWeek: 0 },
  change: { onboardingDays: 1000, decommissionDays: 1000 },
  arrival: { ...DEFAULTS.arrival, outageDays: 1000 },
};

/**
 * Lays the traffic of a seed into the log of an HSM, each row with the instant at which it can be queried. The generator's own
 * automation is left out: here the real one works.
 */
export async function layTraffic(look: Observer, hsm: string, seed: number): Promise<Background> {
  const traffic: Traffic = generateTraffic(seed, 0, { parameters: PARAMETERS, only: [] });
  const { site, clean } = traffic;
  const now = look.estate.estate.clock.now().getTime();
  // Whole weeks, so that weekdays stay weekdays; the history ends within the last week before now.
  const delta = Math.floor((now - site.judged) / WEEK_MS) * WEEK_MS;
  const own = new Set([...Object.values(site.own), site.policyScan].map(({ caller }) => caller.oid));
  const target = look.estate.hsms.find(({ name }) => name === hsm);
  if (!target) throw new Error(`the estate has no HSM ${hsm}`);
  let rows = 0;
  for (const call of clean.calls) {
    if (own.has(call.caller.oid) || !Number.isFinite(call.arrived)) continue;
    for (const { arrived, row } of rowsOf(
      { hsm, host: new URL(target.uri).host },
      shifted(call, delta),
      'AZKVAuditLogs',
    )) {
      look.estate.logs.inject(
        'AZKVAuditLogs',
        { ...row, _ResourceId: target.resourceId.toLowerCase() },
        { ingestedAt: new Date(arrived) },
      );
      rows += 1;
    }
  }
  for (const name of keysOf(site)) await target.plant(keySeed(name));
  return { site, rows, shift: (at) => at + delta };
}

const shifted = (call: TrafficCall, delta: number): TrafficCall => ({
  ...call,
  at: call.at + delta,
  arrived: call.arrived + delta,
});

const keysOf = (site: Site): string[] => [...site.keys.keys()];

const keySeed = (name: string) => ({
  name,
  kty: 'EC-HSM' as const,
  crv: 'P-256' as const,
  keyOps: ['sign', 'verify'],
  created: '-P60D',
  expires: 'P300D',
  tags: { owner: 'payments@contoso.example' },
  rotationPolicy: { expiryTime: 'P1Y', rotate: { timeBeforeExpiry: 'P7D' } },
});

export const seconds = (since: number): string => `${((realNow() - since) / 1000).toFixed(1)} s`;
