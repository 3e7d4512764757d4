import { versionOf } from '../../traffic/attacks/attack.ts';
import type { TrafficCall } from '../../traffic/call.ts';
import { generateTraffic, type Traffic } from '../../traffic/generate.ts';
import { shapes, type Verb } from '../../traffic/operations.ts';
import { DEFAULTS, type TrafficParameters } from '../../traffic/parameters.ts';
import { rowsOf } from '../../traffic/rows.ts';
import type { Client, Site } from '../../traffic/site.ts';
import { createTape } from '../../traffic/tape.ts';
import type { Observer } from './observer.ts';

const WEEK_MS = 7 * 24 * 3_600_000;

/** Seven weeks of one HSM's consumers, laid so that four of them are history when the story begins. */
export interface Background {
  site: Site;
  /** Rows that can be queried when the story begins, and those that arrive later. */
  rows: { past: number; ahead: number };
  /** Lays further calls of a client, or of whoever took its identity: `count` of them from `at` on, spread over `span`. */
  use(client: Client, verb: Verb, key: string, at: Date, more: { count: number; span: number }): void;
}

/** A small house: what a bank's application does in a second, it does in a minute. Surges and outages are left to intruders. */
const PARAMETERS: TrafficParameters = {
  ...DEFAULTS,
  weeks: 3,
  storage: { ...DEFAULTS.storage, identities: 3, restartDays: 10_000 },
  minor: { keys: 3, perHour: 0.2 },
  sql: { ...DEFAULTS.sql, identities: 1, failoverDays: 10_000, databases: [20, 30] as [number, number] },
  application: { ...DEFAULTS.application, peak: [16, 20] as [number, number], night: 2, surgeDays: 10_000 },
  batch: { ...DEFAULTS.batch, size: 60, deviation: 5, nights: 0 },
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
  const { site, clean, arrival } = traffic;
  const now = look.estate.estate.clock.now().getTime();
  // Whole weeks, so that weekdays stay weekdays; the history ends within the last week before now.
  const delta = Math.floor((now - site.judged) / WEEK_MS) * WEEK_MS;
  const own = new Set([...Object.values(site.own), site.policyScan].map(({ caller }) => caller.oid));
  const target = look.estate.hsms.find(({ name }) => name === hsm);
  if (!target) throw new Error(`the estate has no HSM ${hsm}`);
  const rows = { past: 0, ahead: 0 };
  const lay = (calls: readonly TrafficCall[]) => {
    for (const call of calls) {
      if (own.has(call.caller.oid) || !Number.isFinite(call.arrived)) continue;
      const host = new URL(target.uri).host;
      for (const { arrived, row } of rowsOf({ hsm, host }, shifted(call, delta), 'AZKVAuditLogs')) {
        const placed = { ...row, _ResourceId: target.resourceId.toLowerCase() };
        look.estate.logs.inject('AZKVAuditLogs', placed, { ingestedAt: new Date(arrived) });
        rows[arrived <= now ? 'past' : 'ahead'] += 1;
      }
    }
  };
  lay(clean.calls);
  for (const name of keysOf(site)) await target.plant(keySeed(name));
  return {
    site,
    rows,
    use(client, verb, key, at, more) {
      const tape = createTape(site, arrival, `use-${at.getTime()}`);
      const start = at.getTime() - delta;
      tape.call(client, shapes.crypto(verb, key, versionOf(site, key, start)), start, more);
      lay(tape.calls.map((call, index) => ({ ...call, serial: start + index })));
    },
  };
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
