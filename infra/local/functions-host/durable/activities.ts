import type { TypedData } from '../core-module.ts';
import { type Invoke, messageOf } from '../invocation.ts';
import { type Chaos, completionDelayMs, runsTwice } from './chaos.ts';
import { EventType, event, type HistoryEvent } from './history.ts';
import { createLimiter } from './limiter.ts';

export interface ActivityTask {
  instanceId: string;
  executionId: string;
  taskId: number;
  name: string;
  /** JSON text of the framework's one-element array. */
  input: string;
}

/**
 * Runs activities, `maxConcurrent` at a time. Each completion is handed over once, however often the activity ran:
 * side effects may happen twice, the result is recorded once.
 */
export function createActivityRunner(options: {
  invoke: Invoke;
  maxConcurrent: number;
  chaos: Chaos;
  random: () => number;
  now(): Date;
  completed(task: ActivityTask, completion: HistoryEvent): void;
}): { run(task: ActivityTask): void; readonly open: number; stop(): void } {
  let open = 0;
  const limiter = createLimiter(options.maxConcurrent);
  const attempt = async (task: ActivityTask): Promise<HistoryEvent> => {
    try {
      const outcome = await options.invoke(task.name, {
        kind: 'activity',
        instanceId: task.instanceId,
        data: activityData(task.input),
        metadata: { instanceId: { string: task.instanceId }, data: activityData(task.input) },
      });
      return event(EventType.TaskCompleted, options.now(), {
        TaskScheduledId: task.taskId,
        Result: resultText(outcome.returnValue),
      });
    } catch (error) {
      return event(EventType.TaskFailed, options.now(), {
        TaskScheduledId: task.taskId,
        Reason: `Activity function '${task.name}' failed: ${messageOf(error)}`,
        Details: failureDetails(error),
      });
    }
  };
  return {
    /** Waiting, running or not yet handed over. */
    get open() {
      return open;
    },
    run(task) {
      open += 1;
      limiter.run(async () => {
        try {
          const completion = await attempt(task);
          const last = runsTwice(options.chaos, options.random) ? await attempt(task) : completion;
          const delay = completionDelayMs(options.chaos, options.random);
          if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
          options.completed(task, last);
        } finally {
          open -= 1;
        }
      });
    },
    stop: () => limiter.stop(),
  };
}

/**
 * The extension unwraps the array and hands text over: objects as JSON, a string as itself, a boolean the .NET way.
 * Source: DurableActivityContext.cs.
 */
export function activityData(input: string): TypedData {
  const [value] = JSON.parse(input) as unknown[];
  if (value === null || value === undefined) return {};
  if (typeof value === 'boolean') return { string: value ? 'True' : 'False' };
  return { string: typeof value === 'string' ? value : JSON.stringify(value) };
}

/** JSON text of what an activity returned; `null` for nothing. */
export function resultText(data: TypedData | null | undefined): string {
  if (!data) return 'null';
  if (data.json !== undefined) return data.json;
  if (data.string !== undefined) return JSON.stringify(data.string);
  if (data.bytes !== undefined) return JSON.stringify(Buffer.from(data.bytes).toString('base64'));
  return JSON.stringify(data.int ?? data.double ?? null);
}

/** Azure puts a serialised .NET exception here; JavaScript only requires that it is a string. */
const failureDetails = (error: unknown): string =>
  JSON.stringify({
    Message: messageOf(error),
    StackTraceString: error instanceof Error ? (error.stack ?? null) : null,
  });
