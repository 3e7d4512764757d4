import type { EstateClock } from '../clock.ts';

/** Things that happen at a time, each under its own id. Times are Unix seconds. */
export interface Agenda {
  set(id: string, at: number, act: () => void): void;
  cancel(id: string): void;
  /** Holds everything back until `resume`, which runs what came due meanwhile. */
  suspend(): void;
  resume(): void;
}

/**
 * One timer for the earliest entry, whatever their number: the clock tells every listener of each move, and an HSM may
 * hold 5,000 keys. Entries that are due together run in the order of their times.
 */
export function createAgenda(clock: EstateClock): Agenda {
  const entries = new Map<string, { at: number; act: () => void }>();
  let armed: { at: number; stop: () => void } | undefined;

  let suspended = false;

  const disarm = () => {
    armed?.stop();
    armed = undefined;
  };
  const arm = () => {
    disarm();
    if (suspended) return;
    let at = Number.POSITIVE_INFINITY;
    for (const entry of entries.values()) at = Math.min(at, entry.at);
    if (Number.isFinite(at)) armed = { at, stop: clock.at(new Date(at * 1000), run) };
  };
  const run = () => {
    armed = undefined;
    const now = clock.now().getTime() / 1000;
    const due = [...entries].filter(([, entry]) => entry.at <= now).sort(([, a], [, b]) => a.at - b.at);
    for (const [id] of due) entries.delete(id);
    for (const [, entry] of due) entry.act();
    arm();
  };

  return {
    set(id, at, act) {
      const wasNext = armed !== undefined && entries.get(id)?.at === armed.at;
      entries.set(id, { at, act });
      if (wasNext || armed === undefined || at < armed.at) arm();
    },
    cancel(id) {
      const entry = entries.get(id);
      if (!entry) return;
      entries.delete(id);
      if (armed?.at === entry.at) arm();
    },
    suspend() {
      suspended = true;
      disarm();
    },
    resume() {
      suspended = false;
      arm();
    },
  };
}
