import type { CallClass, CallGroup } from './audit-call.ts';
import type { LedgerIntent } from './detection-facts.ts';
import { groupBy } from './group-by.ts';
import type { ConsumedIntent } from './memory.ts';

/** What one group of calls owes to the journal. */
export interface Explained {
  /** Calls that no intent absorbed. */
  unexplained: number;
  /** Intents that absorbed the others. */
  intents: string[];
}

/** Acts that an automation alone may not announce, because whoever holds its identity could. */
const NEEDS_A_PERSON: ReadonlySet<CallClass> = new Set<CallClass>([
  'sd.download',
  'sd.download.poll',
  'sd.transferkey',
  'sd.upload',
  'sd.upload.poll',
  'restore.full',
  'restore.key',
  'rbac.definition.put',
  'rbac.definition.delete',
  'settings.update',
]);

/** Polls and probes that follow from a start: an intent for the start covers them, uncounted. */
const FOLLOWS: Partial<Record<CallClass, CallClass[]>> = {
  'backup.poll': ['backup.start'],
  'restore.poll': ['restore.full', 'restore.key'],
  'sd.download.poll': ['sd.download'],
  'sd.upload.poll': ['sd.upload'],
};

/**
 * Lets each call consume an intent of the journal that agrees in class, target, identity and window; each intent absorbs at
 * most its count, over all windows. The calls must come in a fixed order, and the oldest intent is consumed first.
 */
export function matchOwnActs(
  calls: readonly CallGroup[],
  intents: readonly LedgerIntent[],
  before: Record<string, ConsumedIntent>,
  toleranceMinutes: number,
): { explained: Explained[]; consumed: Record<string, ConsumedIntent> } {
  const byActor = groupBy(
    [...intents].sort((a, b) => compare(a.from, b.from) || compare(a.id, b.id)),
    ({ clientId }) => clientId.toLowerCase(),
  );
  const consumed = new Map<string, ConsumedIntent>();
  const slack = toleranceMinutes * 60_000;

  const explained = calls.map((call): Explained => {
    const found: Explained = { unexplained: call.count, intents: [] };
    for (const intent of candidates(byActor, call)) {
      if (found.unexplained === 0) break;
      if (!agrees(intent, call, slack)) continue;
      const taken = consume(intent, call, found.unexplained);
      if (taken === 0) continue;
      found.unexplained -= taken;
      found.intents.push(intent.id);
    }
    return found;
  });
  return { explained, consumed: Object.fromEntries([...consumed].sort(([a], [b]) => compare(a, b))) };

  function consume(intent: LedgerIntent, call: CallGroup, wanted: number): number {
    if (covers(intent, call.class)) return wanted;
    const limit = intent.count[call.class] ?? 0;
    if (limit === 0) return 0;
    const earlier = Object.hasOwn(before, intent.id) ? before[intent.id] : undefined;
    const entry = consumed.get(intent.id) ?? structuredClone(earlier) ?? { to: intent.to, calls: {} };
    const takers = entry.calls[call.class] ?? {};
    const mark = markOf(call);
    const own = Object.hasOwn(takers, mark) ? (takers[mark] ?? 0) : 0;
    // What the same group took when its window was judged before is its own again.
    const others = Object.values(takers).reduce((sum, count) => sum + count, 0) - own;
    const taken = Math.max(0, Math.min(wanted, limit - others));
    if (taken === 0) return 0;
    takers[mark] = Math.max(own, taken);
    entry.calls[call.class] = takers;
    consumed.set(intent.id, entry);
    return taken;
  }
}

const candidates = (byActor: Map<string, LedgerIntent[]>, { caller }: CallGroup): LedgerIntent[] => [
  ...(caller.app ? (byActor.get(caller.app) ?? []) : []),
  ...(caller.oid && caller.oid !== caller.app ? (byActor.get(caller.oid) ?? []) : []),
];

function agrees(intent: LedgerIntent, call: CallGroup, slackMs: number): boolean {
  if (NEEDS_A_PERSON.has(call.class) && !intent.approvedBy) return false;
  if (Date.parse(call.first) < Date.parse(intent.from) - slackMs) return false;
  if (Date.parse(call.last) > Date.parse(intent.to) + slackMs) return false;
  // An act on a key is an act on that key; an act on the HSM may touch any.
  const key = /^keys\/([^/]+)/.exec(intent.target.toLowerCase())?.[1];
  return key === undefined || key === '*' || call.key === key;
}

const covers = (intent: LedgerIntent, of: CallClass): boolean =>
  (FOLLOWS[of] ?? []).some((start) => (intent.count[start] ?? 0) > 0);

const markOf = ({ class: of, key, path, caller, first, status }: CallGroup): string =>
  `${of} ${key ?? path.slice(0, 120)} ${caller.oid} ${first} ${status}`;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
