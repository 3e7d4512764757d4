import type { EstateClock } from '../../clock.ts';

/** Durable timers on estate time, by instance execution and timer id. */
export interface DurableTimers {
  arm(executionId: string, timerId: number, fireAt: Date, fire: () => void): void;
  cancel(executionId: string, timerId: number): void;
  cancelAll(executionId: string): void;
  stop(): void;
}

export function createTimers(clock: EstateClock): DurableTimers {
  const armed = new Map<string, Map<number, () => void>>();
  const cancelAll = (executionId: string): void => {
    for (const cancel of armed.get(executionId)?.values() ?? []) cancel();
    armed.delete(executionId);
  };
  return {
    arm(executionId, timerId, fireAt, fire) {
      const timers = armed.get(executionId) ?? new Map<number, () => void>();
      armed.set(executionId, timers);
      timers.get(timerId)?.();
      timers.set(
        timerId,
        clock.at(fireAt, () => {
          timers.delete(timerId);
          fire();
        }),
      );
    },
    cancel(executionId, timerId) {
      armed.get(executionId)?.get(timerId)?.();
      armed.get(executionId)?.delete(timerId);
    },
    cancelAll,
    stop() {
      for (const executionId of [...armed.keys()]) cancelAll(executionId);
    },
  };
}
