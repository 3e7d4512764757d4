/** A state of something that is looked at again and again, with the first and the last look that found it so. */
export interface Seen<T> {
  from: string;
  until: string;
  value: T;
}

const MOST = 40;

/**
 * The states with one more look. Beyond the largest number the one that stood shortest is let go: who changes a thing to and
 * fro does not push out what stood before.
 */
export function lookedAgain<T>(history: readonly Seen<T>[], value: T, at: string): Seen<T>[] {
  const last = history.at(-1);
  if (last !== undefined && JSON.stringify(last.value) === JSON.stringify(value)) {
    return [...history.slice(0, -1), { ...last, until: at }];
  }
  const next = [...history, { from: at, until: at, value }];
  if (next.length <= MOST) return next;
  const lasted = ({ from, until }: Seen<T>) => Date.parse(until) - Date.parse(from);
  const shortest = next.slice(0, -1).reduce((least, each) => (lasted(each) < lasted(least) ? each : least));
  return next.filter((each) => each !== shortest);
}

/** What stood at an instant, as far as anybody looked; undefined where nobody had looked by then. */
export const stoodAt = <T>(history: readonly Seen<T>[], at: string): Seen<T> | undefined =>
  history.findLast(({ from }) => Date.parse(from) <= Date.parse(at));
