import type { Ending } from './episode.ts';
import { EventType, event, type HistoryEvent } from './history.ts';
import type { Instance, Parent } from './state.ts';

/** The first event of an execution. */
export const executionStarted = (
  what: { name: string; instanceId: string; input: string | null; version?: string; parent?: Parent },
  executionId: string,
  at: Date,
): HistoryEvent =>
  event(EventType.ExecutionStarted, at, {
    OrchestrationInstance: { InstanceId: what.instanceId, ExecutionId: executionId },
    ParentInstance: what.parent
      ? {
          Name: what.parent.name,
          InstanceId: what.parent.instanceId,
          ExecutionId: what.parent.executionId,
          TaskScheduledId: what.parent.taskId,
        }
      : null,
    Name: what.name,
    Version: what.version ?? '',
    Input: what.input,
  });

export const endingFields = (
  ending: Exclude<Ending, { kind: 'continuedAsNew' }>,
): Pick<Instance, 'status' | 'output'> =>
  ending.kind === 'completed'
    ? { status: 'Completed', output: ending.output }
    : { status: 'Failed', output: JSON.stringify(ending.reason) };

export const executionCompleted = (fields: Pick<Instance, 'status' | 'output'>, at: Date): HistoryEvent =>
  event(EventType.ExecutionCompleted, at, { OrchestrationStatus: fields.status, Result: fields.output });

/** What a parent hears of its ended child. */
export function childAnswer(child: Instance, taskId: number, at: Date): HistoryEvent {
  if (child.status === 'Completed')
    return event(EventType.SubOrchestrationInstanceCompleted, at, {
      TaskScheduledId: taskId,
      Result: child.output ?? 'null',
    });
  const reason = child.output === null ? '' : String(JSON.parse(child.output));
  return event(EventType.SubOrchestrationInstanceFailed, at, {
    TaskScheduledId: taskId,
    Reason: reason,
    Details: JSON.stringify({ Message: reason }),
  });
}

export const alreadyExists = (status: string): string =>
  `An Orchestration instance with the status ${status} already exists.`;

/** Scheduling events of activities and timers whose completion has not arrived: what a restarted host does again. */
export function unfinishedWork(instance: Instance): HistoryEvent[] {
  const answered = new Set<number>();
  for (const past of [...instance.history, ...instance.inbox]) {
    const id = past.TaskScheduledId ?? past.TimerId;
    if (id !== undefined) answered.add(id);
  }
  return instance.history.filter(
    (past) =>
      (past.EventType === EventType.TaskScheduled || past.EventType === EventType.TimerCreated) &&
      !answered.has(past.EventId),
  );
}
