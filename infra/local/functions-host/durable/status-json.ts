import { EventType, eventTypeName, type HistoryEvent, isScheduling } from './history.ts';
import type { Instance } from './state.ts';

export interface StatusOptions {
  showInput: boolean;
  showHistory: boolean;
  showHistoryOutput: boolean;
}

/** An instance as the management API shows it. Times are whole seconds, as the extension prints them. */
export const statusJson = (instance: Instance, options: StatusOptions): Record<string, unknown> => ({
  name: instance.name,
  instanceId: instance.instanceId,
  runtimeStatus: instance.status,
  input: options.showInput ? parsed(instance.input) : null,
  customStatus: parsed(instance.customStatus),
  output: parsed(instance.output),
  createdTime: wholeSeconds(instance.createdAt),
  lastUpdatedTime: wholeSeconds(instance.updatedAt),
  ...(options.showHistory ? { historyEvents: historyJson(instance, options.showHistoryOutput) } : {}),
});

const parsed = (text: string | null | undefined): unknown => (text == null ? null : JSON.parse(text));

const wholeSeconds = (instant: string): string => `${instant.slice(0, 19)}Z`;

/** Bookkeeping events are left out, and a completion names what was scheduled. Source: DurableClient.cs. */
function historyJson(instance: Instance, showOutput: boolean): Record<string, unknown>[] {
  const scheduled = new Map<number, HistoryEvent>(
    instance.history.filter(isScheduling).map((past) => [past.EventId, past]),
  );
  const hidden = new Set<number>([
    EventType.OrchestratorStarted,
    EventType.OrchestratorCompleted,
    EventType.TimerCreated,
  ]);
  const shown = instance.history.filter((past) => {
    const isOwnCompletion =
      past.EventType === EventType.TaskScheduled || past.EventType === EventType.SubOrchestrationInstanceCreated;
    return !hidden.has(past.EventType) && !(isOwnCompletion && isAnswered(instance, past.EventId));
  });
  return shown.map((past) => {
    const cause = past.TaskScheduledId === undefined ? undefined : scheduled.get(past.TaskScheduledId);
    return {
      EventType: eventTypeName(past.EventType),
      Timestamp: past.Timestamp,
      ...(past.Name ? { FunctionName: past.Name } : {}),
      ...(cause ? { FunctionName: cause.Name, ScheduledTime: cause.Timestamp } : {}),
      ...(past.Reason === undefined ? {} : { Reason: past.Reason }),
      ...(past.Details === undefined ? {} : { Details: past.Details }),
      ...(past.FireAt === undefined ? {} : { FireAt: past.FireAt }),
      ...(past.OrchestrationStatus === undefined ? {} : { OrchestrationStatus: past.OrchestrationStatus }),
      ...(showOutput && past.Result !== undefined ? { Result: parsed(past.Result) } : {}),
    };
  });
}

const isAnswered = (instance: Instance, taskId: number): boolean =>
  instance.history.some((past) => past.TaskScheduledId === taskId);
