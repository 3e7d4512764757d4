import type { Engine } from './durable/engine.ts';
import type { Invoke } from './invocation.ts';
import type { QueueTriggers } from './triggers/queue.ts';

/** What the parent hears when it asks whether the app is at work. */
export interface Work {
  /** Nothing moves before the clock does, or somebody calls. */
  idle: boolean;
  /** Runs of functions since the process began. */
  begun: number;
  /** Orchestrations that have not ended. `next`: estate time of the first timer that they wait for. */
  underWay: { instanceId: string; next?: string }[];
}

type Queues = Pick<QueueTriggers, 'polled' | 'open'>;

/** Counts runs of functions, and tells whether anything is left to do. */
export function createWorkCount(invoke: Invoke) {
  let open = 0;
  let begun = 0;
  const counted: Invoke = async (name, trigger) => {
    open += 1;
    begun += 1;
    try {
      return await invoke(name, trigger);
    } finally {
      open -= 1;
    }
  };
  return {
    invoke: counted,
    /** Asks the queues once more before it says that nothing is left: a message may be waiting there. */
    async tell(engine: Pick<Engine, 'isBusy' | 'underWay'>, queues: Queues): Promise<Work> {
      // What a move of the clock has made due begins within two turns.
      for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
      const before = begun;
      const rests = () => open === 0 && queues.open === 0 && begun === before && !engine.isBusy();
      if (rests()) await queues.polled();
      return { idle: rests(), begun, underWay: engine.underWay() };
    },
  };
}
