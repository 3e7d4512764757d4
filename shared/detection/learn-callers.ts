import type { CallClass } from './audit-call.ts';
import { decayed, newCaller, pairId } from './habits.ts';
import type { JudgedCall } from './judged-calls.ts';
import {
  type CallerMemory,
  type DetectionMemory,
  type KeyMemory,
  MEMORY_LIMITS,
  type PairMemory,
  type Sighting,
} from './memory.ts';
import { overlaid } from './overlaid.ts';
import { isQuarantined, type Scene } from './scene.ts';
import { binOf, dayOf, hourOf } from './time-bins.ts';

/**
 * Callers, keys and pairs after a window. Habits are learnt from what succeeded, so that nobody without access can teach or
 * crowd out; of refusals only counts are kept. What belongs to an open incident teaches nothing.
 */
export function learnCallers(scene: Scene): Pick<DetectionMemory, 'callers' | 'keys' | 'pairs'> {
  // Only what this window changes: the memory is far larger than a window.
  const callers = new Map<string, CallerMemory>();
  const keys = new Map<string, KeyMemory>();
  const pairs = new Map<string, PairMemory>();

  const callerOf = (call: JudgedCall): CallerMemory => {
    const changed = callers.get(call.who);
    if (changed !== undefined) return changed;
    const known = own(scene.memory.callers, call.who);
    const copy = known === undefined ? newCaller(call.first) : copyOf(known);
    callers.set(call.who, copy);
    return copy;
  };

  for (const call of scene.calls) {
    if (call.outcome === 'challenged' || call.class === 'authentication') continue;
    const caller = callerOf(call);
    if (call.last > caller.last) caller.last = call.last;
    if (call.caller.app) caller.app = call.caller.app;
    if (call.caller.upn) caller.upn = call.caller.upn;
    if (call.outcome === 'denied' || call.outcome === 'missing') learnRefusal(caller, call);
    if (call.outcome !== 'ok' || isQuarantined(scene, call)) continue;
    learnHabit(caller, call);
    if (call.key === undefined) continue;
    learnKey(keys, scene.memory.keys, call);
    const id = pairId(call.key, call.who);
    const pair = pairs.get(id) ?? own(scene.memory.pairs, id);
    const seen = withCall(pair, dayOf(call.lastMs), call.class);
    if (seen !== pair) pairs.set(id, seen);
  }

  return {
    callers: newest(scene.memory.callers, callers, MEMORY_LIMITS.callers, ({ actions, last }) =>
      isEmpty(actions) ? '' : last,
    ),
    keys: newest(scene.memory.keys, keys, MEMORY_LIMITS.keys, ({ first, lastUse }) => lastUse ?? first),
    pairs: newest(scene.memory.pairs, pairs, MEMORY_LIMITS.pairs, ({ last }) => String(last).padStart(6, '0')),
  };
}

/** The pair itself where the call adds nothing: most calls are like others of their day. */
function withCall(pair: PairMemory | undefined, day: number, of: CallClass): PairMemory {
  if (pair === undefined) return { first: day, last: day, classes: [of] };
  const classes = addTo(pair.classes, of, 12);
  if (day >= pair.first && day <= pair.last && classes === pair.classes) return pair;
  return { first: Math.min(pair.first, day), last: Math.max(pair.last, day), classes };
}

function learnRefusal(caller: CallerMemory, call: JudgedCall): void {
  const bin = binOf(call.firstMs);
  if (caller.refusing !== undefined && caller.refusing.bin !== bin) closeBin(caller);
  const open = caller.refusing ?? { bin, count: 0, keys: [], actions: [] };
  caller.refusing = {
    bin: Math.max(bin, open.bin),
    count: open.count + call.count,
    keys: call.key === undefined ? open.keys : addTo(open.keys, call.key, 50),
    actions: addTo(open.actions, call.action, 20),
  };
}

function closeBin(caller: CallerMemory): void {
  if (caller.refusing === undefined) return;
  const { bin, keys } = caller.refusing;
  caller.refused = { bin, keys };
  const day = dayOf(bin * 600_000);
  const fade = 0.95 ** Math.max(0, day - caller.refusals.day);
  // One flood must not teach that floods are usual.
  const count = Math.min(caller.refusing.count, 100);
  caller.refusals = {
    sum: (caller.refusals.day === 0 ? 0 : caller.refusals.sum * fade) + count,
    squares: (caller.refusals.day === 0 ? 0 : caller.refusals.squares * fade) + count * count,
    day: Math.max(day, caller.refusals.day),
  };
  delete caller.refusing;
}

function learnHabit(caller: CallerMemory, call: JudgedCall): void {
  const day = dayOf(call.lastMs);
  const { action } = call;
  const habit = own(caller.actions, action);
  if (habit !== undefined || Object.keys(caller.actions).length < MEMORY_LIMITS.actions) {
    caller.actions[action] = {
      weight: (habit === undefined ? 0 : decayed(habit, day)) + call.count,
      firstDay: habit?.firstDay ?? day,
      day: Math.max(day, habit?.day ?? day),
    };
  }
  see(caller.networks, call.place.network, day, MEMORY_LIMITS.networks);
  see(caller.agents, call.agent, day, MEMORY_LIMITS.agents);
  if (call.place.public && !call.trustedService) caller.public = true;
  learnDay(caller, call, day, action);
  learnReading(caller, call);
}

function learnDay(caller: CallerMemory, call: JudgedCall, day: number, action: string): void {
  if (caller.today.day < day) {
    if (caller.today.keys.length > 0) caller.keysADay = [...caller.keysADay, caller.today.keys.length].slice(-28);
    caller.today = { day, keys: [], actions: {} };
  }
  if (call.key !== undefined) caller.today.keys = addTo(caller.today.keys, call.key, MEMORY_LIMITS.keysToday);
  if (own(caller.today.actions, action) === undefined && Object.keys(caller.today.actions).length >= 64) return;
  caller.today.actions[action] = (own(caller.today.actions, action) ?? 0) + call.count;
}

function learnReading(caller: CallerMemory, call: JudgedCall): void {
  const hour = hourOf(call.lastMs);
  if (caller.reading.hour < hour) {
    caller.reading = { hour, keys: [], ...(caller.reading.listed ? { listed: caller.reading.listed } : {}) };
  }
  if (call.class === 'read.list') caller.reading.listed = call.last;
  if (call.class === 'read.key' && call.key !== undefined) {
    caller.reading.keys = addTo(caller.reading.keys, call.key, MEMORY_LIMITS.keysToday);
  }
}

function learnKey(keys: Map<string, KeyMemory>, before: DetectionMemory['keys'], call: JudgedCall): void {
  const name = call.key as string;
  const known = keys.get(name) ?? own(before, name);
  const used = isUse(call.class) && (known?.lastUse === undefined || known.lastUse < call.last);
  const created = call.class === 'key.create' || call.class === 'key.import';
  if (known !== undefined && !used && !created) return;
  keys.set(name, {
    ...(known ?? { first: call.first }),
    ...(used ? { lastUse: call.last } : {}),
    ...(created && known?.created === undefined ? { created: { at: call.first, by: call.who } } : {}),
  });
}

const isUse = (of: CallClass): boolean => of === 'crypto.protect' || of === 'crypto.unprotect';

function see(sightings: Record<string, Sighting>, name: string, day: number, limit: number): void {
  const known = own(sightings, name);
  if (known !== undefined && day >= known.first && day <= known.last) return;
  sightings[name] = { first: Math.min(known?.first ?? day, day), last: Math.max(known?.last ?? day, day) };
  if (known !== undefined) return;
  const names = Object.keys(sightings);
  if (names.length <= limit) return;
  const oldest = names.reduce((a, b) => ((sightings[b]?.last ?? 0) < (sightings[a]?.last ?? 0) ? b : a));
  delete sightings[oldest];
}

const addTo = <T>(list: readonly T[], item: T, limit: number): T[] =>
  list.includes(item) || list.length >= limit ? (list as T[]) : [...list, item];

const own = <T>(record: Record<string, T>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

/** Whatever a habit holds is replaced or written to here, so no part of it may be shared with the memory given. */
const copyOf = (caller: CallerMemory): CallerMemory => ({
  ...caller,
  actions: { ...caller.actions },
  networks: { ...caller.networks },
  agents: { ...caller.agents },
  reading: { ...caller.reading },
  today: { ...caller.today, actions: { ...caller.today.actions } },
});

const isEmpty = (record: object): boolean => Object.keys(record).length === 0;

/** The newest so many; ties fall by name, so that the same window always leaves the same memory. */
function newest<T>(
  before: Record<string, T>,
  changed: ReadonlyMap<string, T>,
  limit: number,
  ageOf: (entry: T) => string,
): Record<string, T> {
  const entries = overlaid(before, changed);
  if (Object.keys(entries).length <= limit) return entries;
  const sorted = Object.entries(entries).map(([id, entry]) => ({ id, entry, age: ageOf(entry) }));
  sorted.sort((a, b) => (a.age === b.age ? (a.id < b.id ? -1 : 1) : a.age < b.age ? 1 : -1));
  return Object.fromEntries(sorted.slice(0, limit).map(({ id, entry }) => [id, entry]));
}
