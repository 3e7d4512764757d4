import type { CallGroup } from './audit-call.ts';
import type { CallerMemory, DetectionMemory, Habit } from './memory.ts';

/** What a caller does, as its habits count it: the class, and the verb of a crypto call. */
export const actionOf = ({ class: of, verb }: Pick<CallGroup, 'class' | 'verb'>): string =>
  verb === undefined ? of : `${of} ${verb}`;

/** Weight of a habit after days without it: a twentieth is lost each day. */
export const decayed = (habit: Habit, day: number): number => habit.weight * 0.95 ** Math.max(0, day - habit.day);

/** Name of the family of a client: the first product of a user agent, without its version. */
export function agentOf(userAgent: string): string {
  const product = /[a-z0-9][a-z0-9._-]*/.exec(userAgent.slice(0, 120).toLowerCase())?.[0] ?? '';
  return product.replace(/[-_.]?v?\d+(\.\d+)*.*$/, '').slice(0, 40) || 'none';
}

export const newCaller = (at: string): CallerMemory => ({
  first: at,
  last: at,
  actions: {},
  networks: {},
  agents: {},
  public: false,
  refusals: { sum: 0, squares: 0, day: 0 },
  reading: { hour: 0, keys: [] },
  keysADay: [],
  today: { day: 0, keys: [], actions: {} },
});

export const pairId = (key: string, who: string): string => `${key} ${who}`;

/** Days on which callers of these keys were first seen, by key. Walks every pair, so it is asked only when a pair is new. */
export function firstSeenByKey(memory: DetectionMemory, keys: ReadonlySet<string>): Map<string, number[]> {
  const found = new Map<string, number[]>();
  if (keys.size === 0) return found;
  for (const id of Object.keys(memory.pairs)) {
    const key = id.slice(0, id.indexOf(' '));
    if (!keys.has(key)) continue;
    const days = found.get(key) ?? [];
    days.push(memory.pairs[id]?.first ?? 0);
    found.set(key, days);
  }
  return found;
}
