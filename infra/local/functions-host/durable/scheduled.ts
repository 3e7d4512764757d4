import { type Action, ActionType, activityInput, rawInput } from './actions.ts';
import { EventType, eventTypeName, type HistoryEvent } from './history.ts';

/** Something the orchestration scheduled; its task id is its place in the list. */
export type Scheduled =
  | { kind: 'activity'; name: string; input: string | null }
  | { kind: 'orchestration'; name: string; input: string | null; instanceId?: string; version?: string }
  | { kind: 'timer'; fireAt: string; cancelled: boolean }
  | { kind: 'entityCall' | 'entitySignal'; entityId: string; operation: string; input: string | null };

export const isCancelledTimer = (task: Scheduled | undefined): boolean => task?.kind === 'timer' && task.cancelled;

/** The activity or sub-orchestration that a call action asks for. */
export function callOf(action: Action): Scheduled {
  const name = action.functionName ?? '';
  const isActivity =
    action.actionType === ActionType.CallActivity || action.actionType === ActionType.CallActivityWithRetry;
  if (isActivity) return { kind: 'activity', name, input: activityInput(action.input) };
  return {
    kind: 'orchestration',
    name,
    input: rawInput(action.input),
    ...(action.instanceId ? { instanceId: action.instanceId } : {}),
    ...(action.version ? { version: action.version } : {}),
  };
}

/** The entity operation that a call or signal action asks for. */
export const entityOf = (kind: 'entityCall' | 'entitySignal', action: Action): Scheduled => ({
  kind,
  entityId: action.instanceId ?? '',
  operation: action.operation ?? '',
  input: rawInput(action.input),
});

/** The id under which an entity's answer comes back. */
export const requestId = (sent: HistoryEvent): string => (JSON.parse(sent.Input ?? '{}') as { id?: string }).id ?? '';

/** Whether the history's scheduling event can have come from this task. */
export function matches(made: Scheduled | undefined, past: HistoryEvent): boolean {
  switch (made?.kind) {
    case 'activity':
      return past.EventType === EventType.TaskScheduled && past.Name === made.name;
    case 'orchestration':
      return past.EventType === EventType.SubOrchestrationInstanceCreated && past.Name === made.name;
    case 'timer':
      return past.EventType === EventType.TimerCreated;
    case 'entityCall':
    case 'entitySignal':
      return past.EventType === EventType.EventSent && past.InstanceId === made.entityId;
    default:
      return false;
  }
}

/** Names both sides of a contradiction between history and replay. */
export const mismatch = (past: HistoryEvent, made: Scheduled | undefined): string =>
  `Non-Deterministic workflow detected: the history holds ${eventTypeName(past.EventType)}` +
  `${past.Name ? ` '${past.Name}'` : ''} with id ${past.EventId}, but on replay the orchestrator ` +
  (made ? `asked for ${describeScheduled(made)} there.` : 'asked for nothing there.');

/** How messages name a task. */
export const describeScheduled = (task: Scheduled): string => {
  switch (task.kind) {
    case 'activity':
    case 'orchestration':
      return `${task.kind} '${task.name}'`;
    case 'timer':
      return `a timer for ${task.fireAt}`;
    default:
      return `operation '${task.operation}' of entity '${task.entityId}'`;
  }
};
