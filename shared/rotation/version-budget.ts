import { VERSION_LIMIT } from '../keys/key.ts';
import { addDuration, DAY_MS, daysBetween, toIso } from '../time.ts';

export interface VersionBudgetInput {
  /** Versions that exist, disabled ones included: none can be deleted singly. */
  used: number;
  /** Days between two versions. */
  cadence: number;
  now: Date;
  /** ISO duration that the key is meant to live, counted from `bornOn`. */
  plannedLife: string;
  /** When the first version was made; absent: now. */
  bornOn?: Date;
  /** Warn when the last version comes sooner than this ISO duration. */
  warning: string;
}

export interface VersionBudget {
  used: number;
  remaining: number;
  /** ISO instant at which the last version the key can hold is made, at this cadence. */
  lastVersionOn: string;
  level: 'ok' | 'warn' | 'spent';
  /** Present when the versions run out before the planned life does. */
  cannotLast?: { lastsUntil: string; plannedUntil: string };
}

/** How long the versions that are left will last. A key holds 100, and the only way to more is another key. */
export function forecastVersionBudget(input: VersionBudgetInput): VersionBudget {
  const { now, cadence } = input;
  const remaining = Math.max(0, VERSION_LIMIT - input.used);
  const last = new Date(now.getTime() + remaining * cadence * DAY_MS);
  const lastsUntil = new Date(last.getTime() + cadence * DAY_MS);
  const plannedUntil = addDuration(input.bornOn ?? now, input.plannedLife);
  const level = remaining === 0 ? 'spent' : last < addDuration(now, input.warning) ? 'warn' : 'ok';
  return {
    used: input.used,
    remaining,
    lastVersionOn: toIso(last),
    level,
    ...(lastsUntil < plannedUntil
      ? { cannotLast: { lastsUntil: toIso(lastsUntil), plannedUntil: toIso(plannedUntil) } }
      : {}),
  };
}

/** How many of the newest versions speak for the pace: older ones may follow a rule long gone. */
const RECENT = 12;

/**
 * Mean days between the newest versions, which shows rotations that no rule asked for; undefined with fewer than three,
 * because the first pair is often a key made and at once made again.
 */
export function observedCadence(createdOn: string[]): number | undefined {
  const recent = createdOn
    .map((text) => new Date(text))
    .sort((a, b) => a.getTime() - b.getTime())
    .slice(-RECENT);
  const [first, last] = [recent.at(0), recent.at(-1)];
  if (first === undefined || last === undefined || recent.length < 3) return undefined;
  return daysBetween(first, last) / (recent.length - 1);
}
