/**
 * History events of the durable task framework, as the extension sends them to the orchestrator function.
 * Source: Azure/durabletask, src/DurableTask.Core/History (numbers and Pascal-case fields).
 */
export const EventType = {
  ExecutionStarted: 0,
  ExecutionCompleted: 1,
  ExecutionTerminated: 3,
  TaskScheduled: 4,
  TaskCompleted: 5,
  TaskFailed: 6,
  SubOrchestrationInstanceCreated: 7,
  SubOrchestrationInstanceCompleted: 8,
  SubOrchestrationInstanceFailed: 9,
  TimerCreated: 10,
  TimerFired: 11,
  OrchestratorStarted: 12,
  OrchestratorCompleted: 13,
  EventSent: 14,
  EventRaised: 15,
  ContinueAsNew: 16,
  ExecutionSuspended: 19,
  ExecutionResumed: 20,
} as const;

export type EventTypeNumber = (typeof EventType)[keyof typeof EventType];

export interface HistoryEvent {
  EventType: EventTypeNumber;
  /** The task id for scheduling events, -1 for every other. */
  EventId: number;
  IsPlayed: boolean;
  Timestamp: string;
  Name?: string;
  Version?: string;
  /** JSON text; an activity's is an array of one element. */
  Input?: string | null;
  OrchestrationInstance?: { InstanceId: string; ExecutionId: string };
  ParentInstance?: { Name: string; InstanceId: string; ExecutionId: string; TaskScheduledId: number } | null;
  InstanceId?: string;
  TaskScheduledId?: number;
  TimerId?: number;
  FireAt?: string;
  /** JSON text, or null; never absent on a completion (the library parses it unconditionally). */
  Result?: string | null;
  Reason?: string;
  Details?: string;
  OrchestrationStatus?: string;
  /** Ours, on OrchestratorCompleted: how many actions the orchestrator had asked for by then. */
  ActionCount?: number;
}

/** An event that schedules nothing, dated `at`. */
export const event = (type: EventTypeNumber, at: Date, fields: Partial<HistoryEvent> = {}): HistoryEvent => ({
  EventType: type,
  EventId: -1,
  IsPlayed: false,
  Timestamp: at.toISOString(),
  ...fields,
});

const names = new Map<number, string>(Object.entries(EventType).map(([name, number]) => [number, name]));

export const eventTypeName = (type: number): string => names.get(type) ?? `EventType ${type}`;

const schedulingTypes: ReadonlySet<number> = new Set([
  EventType.TaskScheduled,
  EventType.SubOrchestrationInstanceCreated,
  EventType.TimerCreated,
  EventType.EventSent,
]);

/** Whether the event's EventId is a task id. */
export const isScheduling = (past: HistoryEvent): boolean => schedulingTypes.has(past.EventType);
