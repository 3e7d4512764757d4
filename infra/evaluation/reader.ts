import type { ControlPlaneAct } from '../../shared/detection/audit-call.ts';
import type { DetectionFacts, LedgerIntent } from '../../shared/detection/detection-facts.ts';
import { DAY, HOUR, MINUTE } from '../traffic/calendar.ts';
import type { Strand, TrafficCall, TrafficIntent } from '../traffic/call.ts';
import type { Site } from '../traffic/site.ts';
import { createArrivals, QUARTER, quartersOf } from './arrivals.ts';
import { groupCalls } from './groups.ts';
import { createHsmState } from './hsm-state.ts';
import { createHourSums } from './volumes.ts';

export const STEP = 5 * MINUTE;
/** The newest rows are left to settle. */
const SETTLE = 2 * MINUTE;
/** An hour is closed when its rows had time to arrive. */
const CLOSES_AFTER = HOUR + 15 * MINUTE;
/** A metric is there minutes after what it counts. */
const METRIC_DELAY = 3 * MINUTE;
/** So much of the recent log is told each time. */
const ARRIVALS_SHOWN = 6 * HOUR;

/** Plays one strand of traffic to a detector as the sweep of the app would read it from the workspace. */
export interface Reader {
  /** The facts of the next five minutes, or of a longer slice, as a first run reads it; undefined at the end. */
  next(slice?: number): DetectionFacts | undefined;
  /** Passes over what comes before an instant. */
  skipTo(at: number): void;
  now(): number;
  /** Rows that were stored so far, repeats included. */
  rows(): number;
}

export function createReader(site: Site, strand: Strand): Reader {
  const state = createHsmState(site, strand.changes);
  const hours = createHourSums(site.hsm);
  const canary = { oid: site.own.canary.caller.oid, path: new RegExp(`^/keys/${site.canary}/[0-9a-f]{32}/sign$`) };
  const arrivals = createArrivals(site.hsm, canary);
  const hits = hitsByQuarter(strand.calls);
  const canaryTimes = strand.calls
    .filter(({ caller, path }) => caller.oid === canary.oid && canary.path.test(path))
    .map(({ at }) => ({ at, iso: new Date(at).toISOString() }))
    .sort((left, right) => left.at - right.at);
  const ownClients = Object.values(site.own).map(({ caller }) => caller.app);
  let now = site.from;
  let nextCall = 0;
  let nextAct = 0;
  let nextHour = site.from;
  let nextCanary = 0;
  let rows = 0;

  const advance = (slice: number): { calls: TrafficCall[]; acts: ControlPlaneAct[] } => {
    now += slice;
    const upTo = now - SETTLE;
    const calls: TrafficCall[] = [];
    for (let call = strand.calls[nextCall]; call && call.arrived <= upTo; call = strand.calls[++nextCall]) {
      calls.push(call);
      rows += call.count + call.repeated;
      hours.add(call);
      arrivals.add(call);
    }
    const acts: ControlPlaneAct[] = [];
    for (let act = strand.acts[nextAct]; act && act.arrived <= upTo; act = strand.acts[++nextAct]) {
      const { operation, resource, caller, succeeded, serial } = act;
      if (!ABOUT_THE_HSM.test(operation) && !givesKeyOf(site.hsm, operation, resource)) continue;
      const at = new Date(act.at).toISOString();
      acts.push({ hsm: site.hsm, operation, resource, caller, at, succeeded, correlationId: `act-${serial}` });
    }
    state.advance(now);
    return { calls, acts };
  };
  const closedHours = () => {
    const closed = [];
    for (; nextHour + CLOSES_AFTER <= now; nextHour += HOUR) closed.push(...hours.take(nextHour));
    return closed;
  };
  const successes = () => {
    const found: string[] = [];
    while ((canaryTimes[nextCanary]?.at ?? now) < now - ARRIVALS_SHOWN) nextCanary++;
    for (let index = nextCanary; index < canaryTimes.length; index++) {
      const { at, iso } = canaryTimes[index] as (typeof canaryTimes)[number];
      if (at >= now) break;
      found.push(iso);
    }
    return found;
  };
  return {
    now: () => now,
    rows: () => rows,
    skipTo(at) {
      while (now + STEP <= at) {
        advance(STEP);
        closedHours();
      }
    },
    next(slice = STEP) {
      if (now >= site.to) return undefined;
      const { calls, acts } = advance(slice);
      const groups = groupCalls(site.hsm, calls);
      const since = now - ARRIVALS_SHOWN;
      return {
        now: new Date(now).toISOString(),
        hsm: site.hsm,
        calls: groups,
        more: 0,
        hours: closedHours(),
        arrivals: arrivals.since(since - (since % QUARTER)),
        controlPlane: acts,
        intents: intentsAt(site.hsm, strand.intents, now),
        lookedUp: state.look(now, groups),
        keys: state.keys(),
        ownClients,
        breakGlass: [site.breakGlass.caller.oid],
        serviceHits: metric(hits, now),
        canarySuccesses: successes(),
      };
    },
  };
}

/** What the query of the activity log asks for; a storage account is none of it. */
const ABOUT_THE_HSM =
  /^(microsoft\.keyvault\/|microsoft\.insights\/diagnosticsettings\/|microsoft\.authorization\/locks\/)/i;

/** A server of SQL that is given a key of the HSM: the key's name there begins with the HSM's. */
const givesKeyOf = (hsm: string, operation: string, resource: string): boolean =>
  /^microsoft\.sql\/(servers|managedinstances)\/keys\/write$/i.test(operation) &&
  resource.toLowerCase().includes(`/keys/${hsm.toLowerCase()}_`);

/** Intents are read from the journal while a late row may still belong to them. */
function intentsAt(hsm: string, intents: readonly TrafficIntent[], now: number): LedgerIntent[] {
  const found: LedgerIntent[] = [];
  for (const { id, at, target, clientId, from, to, count, approvedBy } of intents) {
    if (at > now) break;
    if (to < now - DAY) continue;
    found.push({
      ...{ id, hsm, target, clientId, count },
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      ...(approvedBy === '' ? {} : { approvedBy }),
    });
  }
  return found;
}

/** The platform counts what was called, whether or not a row of it ever arrives. */
function hitsByQuarter(calls: readonly TrafficCall[]): Map<number, Hits> {
  const found = new Map<number, Hits>();
  for (const call of calls) {
    for (const { start, count } of quartersOf(call)) {
      const known = found.get(start);
      if (known) known.hits += count;
      else found.set(start, { quarter: new Date(start).toISOString(), hits: count });
    }
  }
  return found;
}

interface Hits {
  quarter: string;
  hits: number;
}

function metric(hits: ReadonlyMap<number, Hits>, now: number): Hits[] {
  const known = [];
  const last = now - METRIC_DELAY;
  const from = now - ARRIVALS_SHOWN;
  for (let start = from - (from % QUARTER); start + QUARTER <= last; start += QUARTER)
    known.push(hits.get(start) ?? { quarter: new Date(start).toISOString(), hits: 0 });
  return known;
}
