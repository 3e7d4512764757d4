import type { EstateClock } from '../../clock.ts';

/** Durable timers on estate time, by instance execution and timer id. */
export interface DurableTimers {
  arm(executionId: string, timerId: number, fireAt: Date, fire: () => void): void;
  cancel(executionId: string, timerId: number): void;
  cancelAll(executionId: string): void;
  /** The first that an execution waits for. */
  next(executionId: string): Date | undefined;
  stop(): void;
}

export function createTimers(clock: EstateClock): DurableTimers {
  const armed = new Map<string, Map<number, { fireAt: Date; cancel(): void }>>();
  const cancelAll = (executionId: string): void => {
    for (const { cancel } of armed.get(executionId)?.values() ?? []) cancel();
    armed.delete(executionId);
  };
  return {
    arm(executionId, timerId, fireAt, fire) {
      const timers = armed.get(executionId) ?? new Map<number, { fireAt: Date; cancel(): void }>();
      armed.set(executionId, timers);
      timers.get(timerId)?.cancel();
      const cancel = clock.at(fireAt, () => {
        timers.delete(timerId);
        fire();
      });
      timers.set(timerId, { fireAt, cancel });
    },
    cancel(executionId, timerId) {
      armed.get(executionId)?.get(timerId)?.cancel();
      armed.get(executionId)?.delete(timerId);
    },
    cancelAll,
    next(executionId) {
      const times = [...(armed.get(executionId)?.values() ?? [])].map(({ fireAt }) => fireAt.getTime());
      return times.length === 0 ? undefined : new Date(Math.min(...times));
    },
    stop() {
      for (const executionId of [...armed.keys()]) cancelAll(executionId);
    },
  };
}
