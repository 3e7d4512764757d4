import { type Action, describeAction, findRepeatedTask, type OrchestratorState } from './actions.ts';
import { EventType, event, type HistoryEvent, isScheduling } from './history.ts';
import { NonDeterministicError, type Replay, replay, type TimerLimits, UnsupportedActionError } from './replay.ts';
import { describeScheduled, type Scheduled } from './scheduled.ts';
import type { Instance } from './state.ts';

/** What the orchestrator function answered. `returned` is the object itself, before it became JSON. */
export type OrchestratorAnswer =
  | { kind: 'returned'; state: OrchestratorState; returned: unknown }
  | { kind: 'threw'; message: string };

export interface EpisodeRules {
  limits: TimerLimits;
  isActivity(name: string): boolean;
  isOrchestrator(name: string): boolean;
  isEntity(name: string): boolean;
  activityNames(): string[];
  orchestratorNames(): string[];
  newId(): string;
}

export type Ending =
  | { kind: 'completed'; output: string | null }
  | { kind: 'failed'; reason: string }
  | { kind: 'continuedAsNew'; input: string | null; carriedOver: HistoryEvent[] };

/** What one episode adds to the instance. */
export interface Decision {
  events: HistoryEvent[];
  cancelledTimers: number[];
  customStatus?: string;
  ending?: Ending;
}

const LABEL = '$OutOfProcData$:';
const CUSTOM_STATUS_LIMIT_BYTES = 16 * 1024;

/** The trigger payload of an orchestrator. Source: OrchestrationTriggerAttributeBindingProvider.cs. */
export function triggerPayload(instance: Instance, history: HistoryEvent[], limits: TimerLimits): string {
  return JSON.stringify({
    history,
    input: instance.input === null ? null : JSON.parse(instance.input),
    instanceId: instance.instanceId,
    isReplaying: instance.history.length > 0,
    parentInstanceId: instance.parent?.instanceId ?? null,
    upperSchemaVersion: 1,
    // 2 is what extensions 3.0 to 3.12 send; 3 would switch on entity locks, which production does not have.
    upperSchemaVersionNew: 2,
    longRunningTimerIntervalDuration: timeSpan(limits.longTimerIntervalMs),
    maximumShortTimerDuration: timeSpan(limits.maximumShortTimerMs),
    defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
  });
}

/** Turns the orchestrator's answer to `delivered` (the events of this episode) into what happens next. */
export function decide(
  instance: Instance,
  delivered: HistoryEvent[],
  answer: OrchestratorAnswer,
  now: Date,
  rules: EpisodeRules,
): Decision {
  const fail = (reason: string): Decision => ({
    events: [...delivered, event(EventType.OrchestratorCompleted, now)],
    cancelledTimers: [],
    ending: { kind: 'failed', reason: `Orchestrator function '${instance.name}' failed: ${reason}` },
  });

  const read = readAnswer(answer);
  if (read.state === undefined) return fail(read.error);
  const { state, error } = read;
  if (state.actions.length !== 1) return fail(`expected one list of actions, got ${state.actions.length}.`);
  const repeated = answer.kind === 'returned' ? findRepeatedTask(answer.returned) : undefined;
  if (repeated)
    return fail(
      `${describeAction(repeated)} was yielded in two compound tasks. The host would schedule it a second time and every ` +
        'later task id would differ from the orchestrator’s, which hangs on Azure (Azure/azure-functions-durable-js ' +
        'issue 574). Create a new task for each Task.any or Task.all.',
    );
  const customStatus = state.customStatus === undefined ? undefined : JSON.stringify(state.customStatus);
  if (customStatus !== undefined && customStatus.length * 2 > CUSTOM_STATUS_LIMIT_BYTES)
    return fail('The size of the JSON-serialized payload must not exceed 16 KB of UTF-16 text.');

  const actions = state.actions[0] ?? [];
  const history = [...instance.history, ...delivered];
  const walked = walk(actions, history, rules.limits);
  if (typeof walked === 'string') return fail(walked);

  const known = instance.history.filter(isScheduling).length;
  const scheduling: HistoryEvent[] = [];
  for (const [id, task] of [...walked.scheduled.entries()].slice(known)) {
    const made = schedulingEvent(instance, id, task, now, rules);
    if (typeof made === 'string') return fail(made);
    scheduling.push(made);
  }

  const over = walked.finished && walked.open.size === 0;
  const ending = over ? endingOf(instance, state, error, walked) : undefined;
  return {
    events: [...delivered, ...scheduling, event(EventType.OrchestratorCompleted, now, { ActionCount: actions.length })],
    cancelledTimers: cancelledTimers(walked),
    ...(customStatus === undefined ? {} : { customStatus }),
    ...(ending ? { ending } : {}),
  };
}

function endingOf(
  instance: Instance,
  state: OrchestratorState,
  error: string | undefined,
  walked: Replay,
): Ending | undefined {
  if (error !== undefined)
    return { kind: 'failed', reason: `Orchestrator function '${instance.name}' failed: ${error}` };
  if (!state.isDone) return undefined;
  if (walked.continueAsNew) return { kind: 'continuedAsNew', ...walked.continueAsNew };
  return { kind: 'completed', output: state.output === undefined ? null : JSON.stringify(state.output) };
}

/** A failed orchestrator rejects with its state in the message, behind a label; any other rejection carries none. */
function readAnswer(
  answer: OrchestratorAnswer,
): { state: OrchestratorState; error: string | undefined } | { state: undefined; error: string } {
  if (answer.kind === 'returned') return { state: answer.state, error: undefined };
  const at = answer.message.indexOf(LABEL);
  if (at < 0) return { state: undefined, error: answer.message };
  const state = JSON.parse(answer.message.slice(at + LABEL.length)) as OrchestratorState;
  return { state, error: state.error ?? '' };
}

/** The replay, or the reason why the instance must fail. */
function walk(actions: Action[], history: HistoryEvent[], limits: TimerLimits): Replay | string {
  try {
    const host = replay(actions, history, limits);
    return findDrift(host, replay(actions, history, limits, true)) ?? host;
  } catch (error) {
    if (error instanceof NonDeterministicError || error instanceof UnsupportedActionError) return error.message;
    throw error;
  }
}

/**
 * Host and library number tasks separately. They part when the orchestrator went on after a failed Task.all while the
 * host still awaits a sibling that needs more ids (a retry, a long timer). On Azure results then reach the wrong task.
 */
function findDrift(host: Replay, library: Replay): string | undefined {
  const shared = Math.min(host.scheduled.length, library.scheduled.length);
  for (let id = 0; id < shared; id++) {
    const hostTask = host.scheduled[id];
    const libraryTask = library.scheduled[id];
    if (!hostTask || !libraryTask) continue;
    if (host.owners[id] !== library.owners[id] || hostTask.kind !== libraryTask.kind)
      return (
        `task id ${id} is ${describeScheduled(hostTask)} for the host and ${describeScheduled(libraryTask)} for the ` +
        'orchestrator. A Task.all was abandoned while one of its tasks still needed ids (a retry or a long timer): let ' +
        'every sibling settle before the next step.'
      );
  }
  return undefined;
}

function schedulingEvent(
  instance: Instance,
  id: number,
  task: Scheduled,
  now: Date,
  rules: EpisodeRules,
): HistoryEvent | string {
  switch (task.kind) {
    case 'activity':
      if (!rules.isActivity(task.name)) return unknown(task.name, 'activity', rules.activityNames());
      return scheduling(EventType.TaskScheduled, id, now, { Name: task.name, Input: `[${task.input ?? 'null'}]` });
    case 'orchestration': {
      if (!rules.isOrchestrator(task.name)) return unknown(task.name, 'orchestrator', rules.orchestratorNames());
      const childId = task.instanceId ?? `${instance.executionId}:${id}`;
      if (childId === instance.instanceId)
        return `sub-orchestration '${task.name}' may not take its parent's id '${childId}'.`;
      if (childId.startsWith('@')) return `sub-orchestration id '${childId}' may not begin with '@'.`;
      return scheduling(EventType.SubOrchestrationInstanceCreated, id, now, {
        Name: task.name,
        Version: task.version ?? '',
        InstanceId: childId,
        Input: task.input,
      });
    }
    case 'timer':
      return scheduling(EventType.TimerCreated, id, now, { FireAt: task.fireAt });
    default: {
      const entityName = task.entityId.split('@')[1] ?? '';
      if (!rules.isEntity(entityName)) return unknown(entityName, 'entity', []);
      return scheduling(EventType.EventSent, id, now, {
        Name: 'op',
        InstanceId: task.entityId,
        Input: JSON.stringify({
          op: task.operation,
          signal: task.kind === 'entitySignal',
          ...(task.input === null ? {} : { input: task.input }),
          id: rules.newId(),
          parent: instance.instanceId,
          parentExecution: instance.executionId,
        }),
      });
    }
  }
}

const scheduling = (
  type: HistoryEvent['EventType'],
  id: number,
  now: Date,
  fields: Partial<HistoryEvent>,
): HistoryEvent => ({ ...event(type, now, fields), EventId: id });

const unknown = (name: string, kind: string, known: string[]): string =>
  `The function '${name}' doesn't exist, is disabled, or is not an ${kind} function. Additional info: ` +
  (known.length === 0
    ? `No ${kind} functions are currently registered!`
    : `The following are the known ${kind} functions: ${known.map((each) => `'${each}'`).join(', ')}.`);

const cancelledTimers = (walked: Replay): number[] =>
  [...walked.scheduled.entries()].filter(([, task]) => task.kind === 'timer' && task.cancelled).map(([id]) => id);

/** Milliseconds as a .NET TimeSpan: `6.00:00:00`. */
function timeSpan(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `${Math.floor(seconds / 86_400)}.${clock}`;
}
