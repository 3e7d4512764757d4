import { DAY_MS } from '../time.ts';
import type { CallGroup } from './audit-call.ts';
import type { DetectionFacts, KnownKey } from './detection-facts.ts';
import type { DetectionMemory } from './memory.ts';
import { matchOwnActs } from './own-acts.ts';
import type { DetectionRule, KnownIdentity } from './rule.ts';
import { readVolumes, type VolumeReading } from './volumes.ts';

/** A group of calls as detectors read it: texts cut, the caller named, and what the journal knew of it taken off. */
export interface JudgedCall extends CallGroup {
  /** Object id, else client id, else the address. */
  who: string;
  /** Calls that no intent explains. */
  unexplained: number;
  intents: string[];
  firstMs: number;
  lastMs: number;
}

/** All that a detector may look at. The memory is that of before the window. */
export interface Scene {
  hsm: string;
  nowMs: number;
  facts: DetectionFacts;
  memory: DetectionMemory;
  rule: DetectionRule;
  calls: readonly JudgedCall[];
  /** Days of history. */
  age: number;
  keys: ReadonlyMap<string, KnownKey>;
  decoys: ReadonlySet<string>;
  identities: ReadonlyMap<string, KnownIdentity>;
  /** Client and object ids of our own. */
  own: ReadonlySet<string>;
  /** Closed hours against what is usual. */
  volumes: readonly VolumeReading[];
}

/** Log contents are an attacker's to choose, so nothing longer than this is kept, compared or shown. */
export const TEXT_LIMIT = 200;

/** Reads one window. The order in which its groups arrive changes nothing. */
export function sceneOf(
  facts: DetectionFacts,
  memory: DetectionMemory,
  rule: DetectionRule,
): { scene: Scene; learnt: Pick<DetectionMemory, 'consumed' | 'series'> } {
  const calls = inOrder(facts.calls.map(tidy));
  const { explained, consumed } = matchOwnActs(calls, facts.intents, memory.consumed, rule.toleranceMinutes);
  const nowMs = Date.parse(facts.now);
  const known = facts.keys.map((key) => [key.name.toLowerCase(), key] as const);
  const quarantined = (who: string, key: string) => isQuarantined({ facts }, { who, key });
  const identities = new Map(rule.identities.map((identity) => [identity.oid.toLowerCase(), identity]));
  const { restart } = rule.detectors['volume-out-of-season'].parameters;
  // A failover unwraps once a database, and retries a few.
  const allowance = (who: string) =>
    identities.get(who)?.kind === 'storage' ? restart : 1.2 * (identities.get(who)?.databases ?? 0);
  const { readings, series } = readVolumes(facts, memory, {
    rule,
    quarantined,
    allowance,
    isBatch: (who) => identities.get(who)?.kind === 'batch',
  });
  const scene: Scene = {
    hsm: facts.hsm,
    nowMs,
    facts,
    memory,
    rule,
    calls: calls.map((call, index) => ({
      ...call,
      unexplained: explained[index]?.unexplained ?? call.count,
      intents: explained[index]?.intents ?? [],
    })),
    age: memory.since === undefined ? 0 : Math.max(0, (nowMs - Date.parse(memory.since)) / DAY_MS),
    keys: new Map(known),
    decoys: new Set([
      ...rule.decoyKeys.map((name) => name.toLowerCase()),
      ...known.filter(([, { decoy }]) => decoy).map(([name]) => name),
    ]),
    identities,
    own: new Set(facts.ownClients.map((id) => id.toLowerCase())),
    volumes: readings,
  };
  return { scene, learnt: { consumed, series } };
}

/** Whether the caller carries an identity of ours; that says nothing of who holds it. */
export const isOurs = (scene: Scene, { caller }: CallGroup): boolean =>
  scene.own.has(caller.oid) || (caller.app !== undefined && scene.own.has(caller.app));

export const isCanary = (scene: Scene, { caller, key }: CallGroup): boolean =>
  scene.rule.canary !== undefined &&
  caller.oid === scene.rule.canary.oid.toLowerCase() &&
  key === scene.rule.canary.key.toLowerCase();

/** Part of an open incident, so it is judged, and not learnt from. */
export const isQuarantined = (scene: Pick<Scene, 'facts'>, { who, key }: { who: string; key?: string }): boolean =>
  (scene.facts.openIncidents ?? []).some(
    (incident) =>
      (incident.caller !== undefined && incident.caller.toLowerCase() === who) ||
      (incident.caller === undefined && incident.key !== undefined && incident.key.toLowerCase() === key),
  );

/** Entry of a record whose keys come from a log: `constructor` is a key like any other. */
export const lookUp = <T>(record: Record<string, T>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

function tidy(call: CallGroup): JudgedCall {
  const caller = {
    oid: cut(call.caller.oid).toLowerCase(),
    ...(call.caller.app ? { app: cut(call.caller.app).toLowerCase() } : {}),
    ...(call.caller.upn ? { upn: cut(call.caller.upn).toLowerCase() } : {}),
  };
  const firstMs = instant(call.first, call.arrived);
  const lastMs = Math.max(firstMs, instant(call.last, call.first));
  // A log delivers some rows twice: one id at one instant is one call.
  const repeated = firstMs === lastMs && new Set(call.correlationIds).size === 1 && call.correlationIds[0] !== '';
  const count = repeated || !Number.isFinite(call.count) || call.count < 1 ? 1 : Math.floor(call.count);
  const address = cut(call.address);
  return {
    ...call,
    count,
    caller,
    address,
    who: caller.oid || caller.app || `address ${address}`,
    operation: cut(call.operation),
    path: cut(call.path),
    ...(call.key === undefined ? {} : { key: cut(call.key).toLowerCase() }),
    ...(call.version === undefined ? {} : { version: cut(call.version).toLowerCase() }),
    userAgent: cut(call.userAgent),
    correlationIds: call.correlationIds.slice(0, 20).map(cut),
    first: new Date(firstMs).toISOString(),
    last: new Date(lastMs).toISOString(),
    firstMs,
    lastMs,
    unexplained: count,
    intents: [],
  };
}

const cut = (text: string | undefined): string => (text ?? '').slice(0, TEXT_LIMIT);

function instant(text: string, otherwise: string): number {
  const [first, second] = [Date.parse(text), Date.parse(otherwise)];
  if (!Number.isNaN(first)) return first;
  return Number.isNaN(second) ? 0 : second;
}

/** By time, then by what they say. That text is written once a call, and only for calls of the same instant. */
function inOrder(calls: readonly JudgedCall[]): JudgedCall[] {
  const texts = new Map<JudgedCall, string>();
  const textOf = (call: JudgedCall): string => {
    const known = texts.get(call) ?? orderOf(call);
    texts.set(call, known);
    return known;
  };
  return calls.toSorted((a, b) => a.firstMs - b.firstMs || a.lastMs - b.lastMs || compare(textOf(a), textOf(b)));
}

const orderOf = (call: JudgedCall): string =>
  [call.who, call.class, call.key, call.version, call.verb, call.status, call.path, call.operation, call.address]
    .concat(call.userAgent, String(call.count))
    .join(' ');

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
