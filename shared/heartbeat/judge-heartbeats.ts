import { addDuration } from '../time.ts';
import type { Expected } from './expected.ts';
import { nextOccurrence } from './schedule.ts';

/** What the watch remembers of one heartbeat. */
export interface Seen {
  schedule: string;
  /** What the newest heartbeat said; absent while there was none. */
  beat?: string;
  /**
   * Since when, by the watch's own clock, nothing new was seen: silence is measured by one clock, and begins no earlier
   * than the watch began to expect something or was away itself.
   */
  since: string;
  /** Its silence was found to be too long. */
  missed?: true;
}

export interface HeartbeatMemory {
  schema: 1;
  lookedOn: string;
  seen: Record<string, Seen>;
}

/** Something that did not come in time. */
export interface Silence extends Expected {
  /** The last heartbeat, in its own words; absent: never. */
  last?: string;
  /** Since when it is missed; the same for as long as the silence lasts. */
  since: string;
  /** When it should have come, grace included. */
  dueBy: string;
}

export interface HeartbeatLook {
  expected: readonly Expected[];
  /** Instants of the newest heartbeats, by name. */
  beats: Readonly<Record<string, string | undefined>>;
  /** Names of those whose silence was found, and told, by somebody else. */
  found?: ReadonlySet<string>;
  /** Absent: the first look. */
  memory: HeartbeatMemory | undefined;
  /** Schedule of the watch. */
  schedule: string;
  /** ISO duration that a heartbeat may be late. */
  grace: string;
  now: Date;
}

export interface HeartbeatJudgement {
  memory: HeartbeatMemory;
  /** How each heartbeat stands. */
  standing: (Expected & { last?: string; dueBy: string; overdue: boolean })[];
  silences: Silence[];
  /** Missed until now, and there again. */
  recovered: (Expected & { since: string; last: string })[];
  /** The watch itself, and so most likely the whole app, did not run. */
  away?: { from: string; to: string };
}

/**
 * Compares what should have come with what came. After a gap of the watch itself everything gets its time anew: of a stopped
 * app one thing is told, not one for each timer, and a jump of the clock does not read as silence.
 */
export function judgeHeartbeats(look: HeartbeatLook): HeartbeatJudgement {
  const { expected, beats, memory, now } = look;
  const at = now.toISOString();
  const away = wasAway(look);
  const seen: Record<string, Seen> = {};
  const standing: HeartbeatJudgement['standing'] = [];
  const silences: Silence[] = [];
  const recovered: HeartbeatJudgement['recovered'] = [];
  for (const each of expected) {
    const { name, schedule, patience, witness } = each;
    const before = memory?.seen[name];
    const beat = beats[name];
    const said = beat === undefined ? {} : { beat };
    const last = beat === undefined ? {} : { last: beat };
    const anew = before === undefined || before.schedule !== schedule || beat !== before.beat;
    const restart = away !== undefined || Date.parse(before?.since ?? at) > now.getTime();
    const since = anew || (restart && !before.missed) ? at : before.since;
    const expectedBy = dueOn(schedule, since, look.grace);
    const dueBy = expectedBy && patience !== undefined ? addDuration(expectedBy, patience) : expectedBy;
    // Where nobody has looked since, that is the silence of whoever should have, and told as that.
    const looked = witness === undefined || Date.parse(beats[witness] ?? '') >= (dueBy?.getTime() ?? 0);
    const overdue = (dueBy !== undefined && now > dueBy && looked) || look.found?.has(name) === true;
    if (before?.missed && beat !== undefined && beat !== before.beat) {
      recovered.push({ ...each, since: before.since, last: beat });
    }
    seen[name] = { schedule, ...said, since, ...(overdue ? { missed: true } : {}) };
    const due = (dueBy ?? now).toISOString();
    standing.push({ ...each, ...last, dueBy: due, overdue });
    if (overdue) silences.push({ ...each, ...last, since, dueBy: due });
  }
  return {
    memory: { schema: 1, lookedOn: at, seen },
    standing,
    silences,
    recovered,
    ...(away ? { away } : {}),
  };
}

/** From when to when the watch did not look, if that was longer than its schedule and the grace allow. */
export function wasAway({ memory, schedule, grace, now }: Omit<HeartbeatLook, 'expected' | 'beats'>) {
  if (memory === undefined) return undefined;
  const dueBy = dueOn(schedule, memory.lookedOn, grace);
  return dueBy !== undefined && now > dueBy ? { from: memory.lookedOn, to: now.toISOString() } : undefined;
}

function dueOn(schedule: string, since: string, grace: string): Date | undefined {
  const next = nextOccurrence(schedule, new Date(since));
  return next && addDuration(next, grace);
}
