import { DAY_MS } from '../time.ts';
import type { CallGroup } from './audit-call.ts';
import type { DetectionFacts, KnownKey } from './detection-facts.ts';
import { type JudgedCall, judgedCalls } from './judged-calls.ts';
import type { DetectionMemory } from './memory.ts';
import { readOpenHours } from './open-hours.ts';
import { matchOwnActs } from './own-acts.ts';
import type { DetectionRule, KnownIdentity } from './rule.ts';
import { readVolumes, type VolumeReading } from './volumes.ts';

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
  /** Closed hours against what is usual, and hours under way that are above it already. */
  volumes: readonly VolumeReading[];
}

/** Reads one window. The order in which its groups arrive changes nothing. */
export function sceneOf(
  facts: DetectionFacts,
  memory: DetectionMemory,
  rule: DetectionRule,
): { scene: Scene; learnt: Pick<DetectionMemory, 'consumed' | 'series'> } {
  const own = new Set(facts.ownClients.map((id) => id.toLowerCase()));
  const calls = judgedCalls(facts.calls, own, rule.network);
  const { explained, consumed } = matchOwnActs(calls, facts.intents, memory.consumed, rule.toleranceMinutes);
  calls.forEach((call, index) => {
    call.unexplained = explained[index]?.unexplained ?? call.count;
    call.intents = explained[index]?.intents ?? [];
  });
  const nowMs = Date.parse(facts.now);
  const known = facts.keys.map((key) => [key.name.toLowerCase(), key] as const);
  const quarantined = (who: string, key: string) => isQuarantined({ facts }, { who, key });
  const identities = new Map(rule.identities.map((identity) => [identity.oid.toLowerCase(), identity]));
  const { restart, failovers } = rule.detectors['volume-out-of-season'].parameters;
  // A failover unwraps once a database, and retries a few; often it is followed by the way back.
  const allowance = (who: string) =>
    identities.get(who)?.kind === 'storage'
      ? { allowance: restart, openings: 1 }
      : { allowance: 1.2 * (identities.get(who)?.databases ?? 0), openings: failovers };
  const settings = { rule, quarantined, allowance, isBatch: (who: string) => identities.get(who)?.kind === 'batch' };
  const closed = readVolumes(facts, memory, settings);
  const open = readOpenHours(calls, closed.series, settings);
  const scene: Scene = {
    hsm: facts.hsm,
    nowMs,
    facts,
    memory,
    rule,
    calls,
    age: memory.since === undefined ? 0 : Math.max(0, (nowMs - Date.parse(memory.since)) / DAY_MS),
    keys: new Map(known),
    decoys: new Set([
      ...rule.decoyKeys.map((name) => name.toLowerCase()),
      ...known.filter(([, { decoy }]) => decoy).map(([name]) => name),
    ]),
    identities,
    own,
    volumes: [...closed.readings, ...open.readings],
  };
  return { scene, learnt: { consumed, series: open.series } };
}

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
