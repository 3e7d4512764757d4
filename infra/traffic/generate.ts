import { type Attack, type AttackScene, type Benign, isLegal } from './attacks/attack.ts';
import { CONTROLS } from './attacks/controls.ts';
import { MISUSE } from './attacks/misuse.ts';
import { ROOT_AND_BACKUP } from './attacks/root-and-backup.ts';
import { VARIANTS } from './attacks/variants.ts';
import { applications } from './benign/applications.ts';
import { automation } from './benign/automation.ts';
import { change } from './benign/change.ts';
import { sqlTraffic, storageTraffic } from './benign/data-services.ts';
import { people } from './benign/people.ts';
import { platform } from './benign/platform.ts';
import { compromiseRotation, planRotations } from './benign/versions.ts';
import { DAY, HOUR, MINUTE } from './calendar.ts';
import type { AttackLabel, Strand, TrafficCall } from './call.ts';
import { DEFAULTS, type TrafficParameters } from './parameters.ts';
import { type Random, randomFor } from './random.ts';
import { createSite, type Site } from './site.ts';
import { type Arrival, createArrival, createTape, type Tape } from './tape.ts';

export const ATTACKS: readonly Attack[] = [...ROOT_AND_BACKUP, ...CONTROLS, ...MISUSE].toSorted(
  (left, right) => Number(left.id.slice(1)) - Number(right.id.slice(1)),
);

/** What one HSM's log would hold: a clean strand, and what attacks add to it. */
export interface Traffic {
  site: Site;
  arrival: Arrival;
  clean: Strand;
  /** The scenarios of the design, each once. */
  attacked: Strand;
  /** By an intruder who knows what is looked for. */
  adversarial: Strand;
}

/** Findings after this long are too late, whatever finds them: rules of a market run once a day. */
const DEADLINE = 24 * HOUR;
/** Between two attacks that touch the same. */
const APART = 36 * HOUR;

/** All that happens at one HSM of one seed. The same arguments give the same bytes. */
export function generateTraffic(
  seed: number,
  index = 0,
  { parameters = DEFAULTS, only }: { parameters?: TrafficParameters; only?: readonly string[] } = {},
): Traffic {
  const site = createSite(seed, index, parameters);
  const arrival = createArrival(site);
  const sources: Tape[] = [];
  const tape = (source: string) => {
    const made = createTape(site, arrival, source);
    sources.push(made);
    return made;
  };
  const rotations = planRotations(site);
  const compromised = compromiseRotation(site);
  const own = tape('automation');
  automation(site, own, compromised ? [...rotations, compromised] : rotations);
  if (compromised) own.changes.push({ at: compromised.at, kind: 'compromised', key: compromised.key });
  storageTraffic(site, tape('storage'));
  sqlTraffic(site, tape('sql'));
  applications(site, tape('applications'));
  people(site, tape('people'));
  platform(site, tape('platform'));
  change(site, tape('change'));
  const clean = join(sources, 0);
  const benign: Benign = { calls: clean.calls, intents: clean.intents, compromisedAt: compromised?.at ?? site.to };
  const chosen = (attack: Attack) => only === undefined || only.includes(attack.id);
  const strand = (attacks: readonly Attack[], name: string, serial: number) =>
    join([attack(site, arrival, benign, attacks.filter(chosen), name)], serial);
  return {
    ...{ site, arrival, clean },
    attacked: strand(ATTACKS, 'attacks', 100_000_000),
    adversarial: strand(VARIANTS, 'variants', 200_000_000),
  };
}

/** Clean traffic with a strand of attacks in it, in order of arrival; rows of a silence never arrive. */
export function mixed({ clean }: Traffic, strand: Strand | undefined): Strand {
  if (!strand) return clean;
  const { silences } = strand;
  const lost = ({ at }: TrafficCall) => silences.some(({ from, to }) => at >= from && at < to);
  const calls = [...clean.calls, ...strand.calls].map((call) =>
    silences.length > 0 && lost(call) ? { ...call, arrived: Number.POSITIVE_INFINITY } : call,
  );
  return {
    calls: calls.sort(byArrival),
    acts: [...clean.acts, ...strand.acts].sort(byArrival),
    intents: [...clean.intents, ...strand.intents].sort((left, right) => left.at - right.at),
    changes: [...clean.changes, ...strand.changes].sort((left, right) => left.at - right.at),
    silences,
    labels: strand.labels,
  };
}

const byArrival = (left: { arrived: number; serial: number }, right: { arrived: number; serial: number }): number =>
  left.arrived === right.arrived ? left.serial - right.serial : left.arrived < right.arrived ? -1 : 1;

/** One strand of several tapes, numbered in order of time. */
function join(tapes: readonly Strand[], firstSerial: number): Strand {
  const all = <T>(pick: (tape: Strand) => T[]): T[] => tapes.flatMap(pick);
  const calls = all(({ calls }) => calls).sort((left, right) => left.at - right.at);
  for (const [index, call] of calls.entries()) call.serial = firstSerial + index;
  return {
    calls: calls.sort(byArrival),
    acts: all(({ acts }) => acts).sort(byArrival),
    intents: all(({ intents }) => intents).sort((left, right) => left.at - right.at),
    changes: all(({ changes }) => changes).sort((left, right) => left.at - right.at),
    silences: all(({ silences }) => silences),
    labels: all(({ labels }) => labels),
  };
}

interface Placed {
  attack: Attack;
  at: number;
}

/** Puts attacks at legal times, the longest first, so that none hides another, and runs them. */
function attack(site: Site, arrival: Arrival, benign: Benign, attacks: readonly Attack[], name: string): Strand {
  const placed: Placed[] = [];
  const fixed = attacks.filter(({ at }) => at !== undefined);
  const free = attacks.filter(({ at }) => at === undefined);
  for (const each of fixed) {
    const at = each.at?.(site, benign);
    if (at !== undefined && at < site.to - 12 * HOUR) placed.push({ attack: each, at });
  }
  for (const each of free.toSorted((left, right) => (right.hours ?? 1) - (left.hours ?? 1))) {
    const random = randomFor(site.seed, site.hsm, name, each.id, each.variant ?? '');
    placed.push({ attack: each, at: place(site, each, placed, random) });
  }
  const tape = createTape(site, arrival, name);
  for (const { attack: each, at } of placed.toSorted((left, right) => left.at - right.at)) {
    const random = randomFor(site.seed, site.hsm, name, each.id, each.variant ?? '', 'run');
    tape.labels.push(label(each, at, run(each, { site, tape, at, random, benign })));
  }
  return tape;
}

const MIXED_UP = 2 * HOUR;

function place(site: Site, attack: Attack, placed: Placed[], random: Random): number {
  const length = (attack.hours ?? 1) * HOUR;
  const touches = attack.touches(site);
  const ends = ({ attack: other, at }: Placed) => at + (other.hours ?? 1) * HOUR;
  const meets = (at: number, other: Placed): boolean => {
    const shares = other.attack.touches(site).some((name) => touches.includes(name));
    const gap = shares ? APART : MIXED_UP;
    if (!shares && !attack.alone && !other.attack.alone) return false;
    return at < ends(other) + gap && other.at < at + length + gap;
  };
  const first = site.judged + 2 * HOUR;
  const last = Math.max(first + HOUR, site.to - length - 25 * HOUR);
  let at = first;
  for (let tries = 0; tries < 2000; tries++) {
    at = Math.round(first + random.next() * (last - first));
    if (!isLegal(site.calendar, at, attack.legal ?? 'any')) continue;
    if (attack.legal === 'night' || attack.legal === 'peak' || attack.legal === 'afternoon') at -= at % HOUR;
    if (!placed.some((other) => meets(at, other))) return at;
  }
  return at;
}

function run(attack: Attack, scene: AttackScene) {
  const before = scene.tape.calls.length;
  const actsBefore = scene.tape.acts.length;
  const done = attack.run(scene);
  const silent = (at: number) => scene.tape.silences.some(({ from, to }) => at >= from && at < to);
  const arrivals = [
    ...scene.tape.calls.slice(before).filter(({ at }) => at >= scene.at && !silent(at)),
    ...scene.tape.acts.slice(actsBefore),
  ].map(({ arrived }) => arrived);
  return { ...done, firstArrival: Math.min(Number.POSITIVE_INFINITY, ...arrivals) };
}

function label(attack: Attack, at: number, done: ReturnType<typeof run>): AttackLabel {
  const { id, variant = '', title, expected, critical, lane, target } = attack;
  return {
    ...{ id: variant === '' ? id : `${id}.${variant}`, scenario: id, variant, title, expected, critical, lane },
    ...{ class: attack.class, from: at, until: done.until, deadline: done.until + DEADLINE },
    ...{ callers: done.callers, keys: done.keys, hsmWide: done.hsmWide ?? false },
    ...{ targetMs: target * MINUTE, firstArrival: done.firstArrival },
  };
}

export const weeksJudged = ({ judged, to }: Site): number => (to - judged) / (7 * DAY);
