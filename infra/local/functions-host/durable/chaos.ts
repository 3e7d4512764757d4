/** Misfortunes that Azure allows and a quiet machine never shows. */
export interface Chaos {
  /** Chance (0 to 1) that an activity runs a second time after its first run, as after a lost lease. */
  activityTwice?: number;
  /** Upper bound of a random delay before a completion is recorded. */
  delayCompletionsMs?: number;
  /** Lets completions overtake each other, by up to 25 ms. */
  reorder?: boolean;
}

const REORDER_WINDOW_MS = 25;

export const runsTwice = (chaos: Chaos, random: () => number): boolean => random() < (chaos.activityTwice ?? 0);

/** Milliseconds by which to hold a completion back. */
export const completionDelayMs = (chaos: Chaos, random: () => number): number =>
  Math.floor(random() * Math.max(chaos.delayCompletionsMs ?? 0, chaos.reorder ? REORDER_WINDOW_MS : 0));
