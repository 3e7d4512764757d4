/** What every emulated service asks for the time. Moved by the control surface, never by a service. */
export interface EstateClock {
  /** Estate time: real time plus the offset. */
  now(): Date;
  /** Milliseconds by which estate time is ahead of real time (negative: behind). */
  readonly offsetMs: number;
  advance(ms: number): void;
  set(to: Date): void;
  /** Runs `act` once estate time has reached `at`, whether time passed or was moved. Returns a cancel function. */
  at(at: Date, act: () => void): () => void;
  /** Told after every move, with the new offset. */
  onMove(listener: (offsetMs: number) => void): () => void;
}

/** setTimeout overflows above 2^31 ms, so long waits are taken in steps. */
const LONGEST_STEP_MS = 2 ** 30;

export function createClock(realNow: () => number, startOffsetMs = 0): EstateClock {
  let offsetMs = startOffsetMs;
  const listeners = new Set<(offsetMs: number) => void>();
  const now = () => new Date(realNow() + offsetMs);
  const moved = (next: number) => {
    offsetMs = next;
    for (const listener of [...listeners]) listener(offsetMs);
  };
  return {
    now,
    get offsetMs() {
      return offsetMs;
    },
    advance: (ms) => moved(offsetMs + ms),
    set: (to) => moved(to.getTime() - realNow()),
    onMove(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    at(at, act) {
      let timer: NodeJS.Timeout | undefined;
      let cancelled = false;
      const stop = () => {
        clearTimeout(timer);
        listeners.delete(arm);
      };
      const arm = () => {
        clearTimeout(timer);
        const wait = at.getTime() - now().getTime();
        if (wait <= 0) {
          stop();
          setImmediate(() => {
            if (!cancelled) act();
          });
          return;
        }
        timer = setTimeout(arm, Math.min(wait, LONGEST_STEP_MS));
        timer.unref();
      };
      listeners.add(arm);
      arm();
      return () => {
        cancelled = true;
        stop();
      };
    },
  };
}
