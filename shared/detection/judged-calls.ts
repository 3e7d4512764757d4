import type { Caller, CallGroup } from './audit-call.ts';
import { actionOf, agentOf } from './habits.ts';
import { createPlaces, type Place } from './network.ts';
import type { DetectionRule } from './rule.ts';

/** A group of calls as detectors read it: texts cut, the caller named, and what the journal knew of it taken off. */
export interface JudgedCall extends CallGroup {
  /** Object id, else client id, else the address. */
  who: string;
  /** Whether the caller carries an identity of ours; that says nothing of who holds it. */
  ours: boolean;
  /** The class, and the verb of a crypto call. */
  action: string;
  /** Family of the client. */
  agent: string;
  place: Place;
  /** Calls that no intent explains. */
  unexplained: number;
  intents: string[];
  firstMs: number;
  lastMs: number;
}

/** Log contents are an attacker's to choose, so nothing longer than this is kept, compared or shown. */
export const TEXT_LIMIT = 200;

/** The calls of a window in an order of their own: that in which its groups arrive changes nothing. */
export function judgedCalls(
  calls: readonly CallGroup[],
  own: ReadonlySet<string>,
  network: DetectionRule['network'],
): JudgedCall[] {
  // Few addresses and clients make many calls: each is read once a window.
  const placeOf = createPlaces(network);
  const agents = remembered(agentOf);
  const judged = calls.map((call): JudgedCall => {
    const caller = tidyCaller(call.caller);
    const address = cut(call.address);
    const userAgent = cut(call.userAgent);
    const firstMs = instant(call.first, call.arrived);
    const lastMs = Math.max(firstMs, instant(call.last, call.first));
    const count = countOf(call, firstMs === lastMs);
    // Each field by name: what comes beside them is dropped, and objects of one shape are read several times faster.
    const tidy: JudgedCall = {
      hsm: call.hsm,
      class: call.class,
      operation: cut(call.operation),
      path: cut(call.path),
      outcome: call.outcome,
      status: call.status,
      caller,
      address,
      userAgent,
      count,
      first: new Date(firstMs).toISOString(),
      last: new Date(lastMs).toISOString(),
      arrived: call.arrived,
      correlationIds: call.correlationIds.slice(0, 20).map(cut),
      who: caller.oid || caller.app || `address ${address}`,
      ours: own.has(caller.oid) || (caller.app !== undefined && own.has(caller.app)),
      action: actionOf(call),
      agent: agents(userAgent),
      place: placeOf(address),
      firstMs,
      lastMs,
      unexplained: count,
      intents: [],
    };
    if (call.key !== undefined) tidy.key = cut(call.key).toLowerCase();
    if (call.version !== undefined) tidy.version = cut(call.version).toLowerCase();
    if (call.verb !== undefined) tidy.verb = call.verb;
    if (call.subnet !== undefined) tidy.subnet = call.subnet;
    if (call.trustedService !== undefined) tidy.trustedService = call.trustedService;
    return tidy;
  });
  return judged.sort(inOrder);
}

function tidyCaller({ oid, app, upn }: Caller): Caller {
  const caller: Caller = { oid: cut(oid).toLowerCase() };
  if (app) caller.app = cut(app).toLowerCase();
  if (upn) caller.upn = cut(upn).toLowerCase();
  return caller;
}

/** A log delivers some rows twice: one id at one instant is one call. */
function countOf({ correlationIds, count }: CallGroup, atOnce: boolean): number {
  const [id] = correlationIds;
  if (atOnce && id !== undefined && id !== '' && correlationIds.every((each) => each === id)) return 1;
  return Number.isFinite(count) && count >= 1 ? Math.floor(count) : 1;
}

const cut = (text: string | undefined): string => (text ?? '').slice(0, TEXT_LIMIT);

function instant(text: string, otherwise: string): number {
  const first = Date.parse(text);
  if (!Number.isNaN(first)) return first;
  const second = Date.parse(otherwise);
  return Number.isNaN(second) ? 0 : second;
}

/** By time, then by all that they say. */
const inOrder = (a: JudgedCall, b: JudgedCall): number =>
  a.firstMs - b.firstMs ||
  a.lastMs - b.lastMs ||
  compare(a.who, b.who) ||
  compare(a.action, b.action) ||
  compare(a.path, b.path) ||
  a.status - b.status ||
  compare(a.address, b.address) ||
  compare(a.operation, b.operation) ||
  compare(a.userAgent, b.userAgent) ||
  a.count - b.count;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function remembered(read: (text: string) => string): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const answer = read(text);
    known.set(text, answer);
    return answer;
  };
}
