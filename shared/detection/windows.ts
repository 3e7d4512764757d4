import type { CallGroup, ControlPlaneAct } from './audit-call.ts';

/** Groups are counted for so long a span of arrival each; boundaries are full ten minutes of UTC. */
export const ARRIVAL_BIN_MS = 600_000;
/** Rows may become visible after others that arrived later: so much is read again. */
const OVERLAP_MS = 600_000;
/** The newest rows are left to settle. */
const SETTLE_MS = 120_000;
/** After an outage the log is read in slices. */
const LONGEST_SLICE_MS = 6 * 3_600_000;
/** What an installation that starts today looks back on. */
const FIRST_LOOK_MS = 3_600_000;
/** Groups are remembered for so long, though only the overlap is ever read again. */
const REMEMBERED_MS = 48 * 3_600_000;
/** And so many of them at most, the newest. */
const MOST_REMEMBERED = 20_000;

/** ISO instants of ingestion: `after` exclusive, just before a full ten minutes; `upTo` inclusive. */
export interface AuditWindow {
  after: string;
  upTo: string;
}

export type NextWindow =
  /** `behind`: more of the log is due after this slice. */
  | { kind: 'window'; window: AuditWindow; behind: boolean }
  /** Nothing has settled since, or the clock stands before what was judged. */
  | { kind: 'none' };

/** What part of the log is judged next. `watermark`: up to where it was judged; absent: never. */
export function nextWindow(watermark: string | undefined, now: Date): NextWindow {
  const settled = now.getTime() - SETTLE_MS;
  const from = watermark === undefined ? now.getTime() - FIRST_LOOK_MS : Date.parse(watermark);
  if (settled <= from) return { kind: 'none' };
  const upTo = Math.min(settled, from + LONGEST_SLICE_MS);
  return { kind: 'window', window: windowOf(from, upTo), behind: upTo < settled };
}

/**
 * Up to where the log was judged. A watermark ahead of the clock was set by a clock that ran ahead, and rows that arrived since
 * would never be read: the newest that were judged say how far it was. What is read again is known and not judged again.
 */
export function judgedUpTo(watermark: string | undefined, judged: Judged, now: Date): string | undefined {
  const isAhead = watermark !== undefined && Date.parse(watermark) > now.getTime();
  return isAhead ? Object.keys(judged).sort().at(-1) : watermark;
}

/** A shorter slice for when one brought more groups than an answer holds; undefined: it cannot be shorter. */
export function narrower(window: AuditWindow, watermark: string | undefined): AuditWindow | undefined {
  const upTo = Date.parse(window.upTo);
  const from = Date.parse(watermark ?? window.after);
  const half = from + Math.floor((upTo - from) / 2);
  return upTo - from <= ARRIVAL_BIN_MS ? undefined : windowOf(from, half);
}

const windowOf = (from: number, upTo: number): AuditWindow => ({
  // Exclusive, so a moment before the bin: its first row belongs to it.
  after: new Date(binOf(from - OVERLAP_MS) - 1).toISOString(),
  upTo: new Date(upTo).toISOString(),
});

/** By start of the arrival bin, ISO, then by what a group is: how many of its calls were judged, and the last of them. */
export type Judged = Record<string, Record<string, [count: number, last: string]>>;

export type Sha256 = (text: string) => string;

/**
 * The calls that no earlier window gave, and what is remembered after them. A window recounts whole arrival bins, so of a group
 * that was met before only the growth is new; the log only grows.
 */
export function dropJudged(
  calls: readonly CallGroup[],
  judged: Judged,
  sha256: Sha256,
): { fresh: CallGroup[]; judged: Judged } {
  const next = new Map(Object.entries(judged).map(([bin, groups]) => [bin, new Map(Object.entries(groups))]));
  const fresh: CallGroup[] = [];
  for (const { bin, mark, call } of together(calls, sha256)) {
    const groups = next.get(bin) ?? new Map<string, [number, string]>();
    next.set(bin, groups);
    const [before, lastBefore] = groups.get(mark) ?? [0, undefined];
    if (call.count <= before) continue;
    groups.set(mark, [call.count, call.last]);
    fresh.push({
      ...call,
      count: call.count - before,
      // Which rows are the new ones is not said; they are the later ones but for a few.
      ...(lastBefore === undefined ? {} : { first: later(call.first, earlier(lastBefore, call.last)) }),
    });
  }
  return { fresh, judged: Object.fromEntries([...next].map(([bin, groups]) => [bin, Object.fromEntries(groups)])) };
}

/** Groups that the workspace told apart by characters that nobody sees are one; otherwise the smaller would hide in the larger. */
function together(calls: readonly CallGroup[], sha256: Sha256) {
  const found = new Map<string, { bin: string; mark: string; call: CallGroup }>();
  for (const call of calls) {
    const bin = new Date(binOf(Date.parse(call.arrived))).toISOString();
    const mark = sha256(markOf(call)).slice(0, 24);
    const other = found.get(`${bin} ${mark}`)?.call;
    const both = other && {
      ...other,
      count: other.count + call.count,
      first: earlier(other.first, call.first),
      last: later(other.last, call.last),
      arrived: later(other.arrived, call.arrived),
      correlationIds: [...new Set([...other.correlationIds, ...call.correlationIds])].slice(0, 20),
    };
    found.set(`${bin} ${mark}`, { bin, mark, call: both ?? call });
  }
  return found.values();
}

/**
 * What is remembered beyond two days or the largest number is let go, the oldest first, but never what may be read again, nor
 * the newest of all.
 */
export function forgetOld(judged: Judged, watermark: string): Judged {
  const reach = binOf(Date.parse(watermark) - OVERLAP_MS);
  const bins = Object.entries(judged).sort(([a], [b]) => (a < b ? 1 : -1));
  let kept = 0;
  return Object.fromEntries(
    bins.filter(([bin, groups], index) => {
      const at = Date.parse(bin);
      kept += Object.keys(groups).length;
      return index === 0 || at >= reach || (at >= reach - REMEMBERED_MS && kept <= MOST_REMEMBERED);
    }),
  );
}

/** Acts on the resource that were judged, by what each is: when it arrived. */
export type JudgedActs = Record<string, string>;

/**
 * The acts that no earlier window gave. Its instant is part of what an act is: whoever calls chooses the correlation id, and a
 * second act under the first one's would hide behind it.
 */
export function dropJudgedActs(
  acts: readonly ControlPlaneAct[],
  judged: JudgedActs,
  sha256: Sha256,
): { fresh: ControlPlaneAct[]; judged: JudgedActs } {
  const next = new Map(Object.entries(judged));
  const fresh: ControlPlaneAct[] = [];
  for (const act of acts) {
    const { hsm, operation, resource, caller, at, succeeded, correlationId } = act;
    const mark = sha256(
      JSON.stringify([hsm, operation.toLowerCase(), resource.toLowerCase(), caller, at, succeeded, correlationId]),
    ).slice(0, 24);
    if (!next.has(mark)) fresh.push(act);
    next.set(mark, act.arrived ?? at);
  }
  return { fresh, judged: Object.fromEntries(next) };
}

/** Like groups: two days of them, and so many at most; never what may be read again. */
export function forgetOldActs(judged: JudgedActs, watermark: string): JudgedActs {
  const reach = binOf(Date.parse(watermark) - OVERLAP_MS);
  const newestFirst = Object.entries(judged).sort(([, a], [, b]) => (a < b ? 1 : -1));
  return Object.fromEntries(
    newestFirst.filter(([, arrived], index) => {
      const at = Date.parse(arrived);
      return at >= reach || (at >= reach - REMEMBERED_MS && index < MOST_REMEMBERED);
    }),
  );
}

const binOf = (ms: number): number => Math.floor(ms / ARRIVAL_BIN_MS) * ARRIVAL_BIN_MS;

/** Everything that tells one group of a query from another; texts are quoted, so that no value can imitate two. */
const markOf = (call: CallGroup): string =>
  JSON.stringify([
    Math.floor(Date.parse(call.first) / ARRIVAL_BIN_MS),
    ...[call.class, call.operation, call.path, call.key, call.version, call.verb, call.status],
    ...[call.caller.oid, call.caller.app, call.address, call.subnet, call.trustedService],
    // Only successful use of keys is counted by client.
    ...(call.class.startsWith('crypto.') && call.status < 400 ? [productOf(call.userAgent)] : []),
  ]);

/** As the query groups them: the name of the product, without its version. */
const productOf = (userAgent: string): string => (userAgent.split('/')[0] ?? '').split(' ')[0]?.slice(0, 60) ?? '';

const later = (a: string, b: string): string => (a > b ? a : b);
const earlier = (a: string, b: string): string => (a < b ? a : b);
