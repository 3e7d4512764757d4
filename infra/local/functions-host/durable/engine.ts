import { randomUUID } from 'node:crypto';
import type { EstateClock } from '../../clock.ts';
import { type Invoke, messageOf } from '../invocation.ts';
import type { OrchestratorState } from './actions.ts';
import { createActivityRunner } from './activities.ts';
import type { Chaos } from './chaos.ts';
import {
  alreadyExists,
  childAnswer,
  endingFields,
  executionCompleted,
  executionStarted,
  unfinishedWork,
} from './ending.ts';
import { createEntityRunner } from './entities.ts';
import { type Decision, decide, type EpisodeRules, type OrchestratorAnswer, triggerPayload } from './episode.ts';
import { EventType, event, type HistoryEvent } from './history.ts';
import { createLimiter } from './limiter.ts';
import { azureTimerLimits } from './replay.ts';
import { type Change, type HubState, type Instance, isFinal, type Parent } from './state.ts';
import type { Store } from './store.ts';
import { createTimers } from './timers.ts';

/** Names of the app's durable functions. Entity names compare without case. */
export interface DurableFunctions {
  orchestrators: string[];
  activities: string[];
  entities: string[];
}

export interface EngineOptions {
  store: Store;
  clock: EstateClock;
  functions: DurableFunctions;
  invoke: Invoke;
  maxConcurrentActivities: number;
  maxConcurrentOrchestrators: number;
  chaos?: Chaos;
  random?: () => number;
  log(level: 'information' | 'warning' | 'error', message: string, instanceId?: string): void;
}

export interface NewInstance {
  name: string;
  instanceId: string;
  input: string | null;
  version?: string;
  parent?: Parent;
}

/** Runs orchestrations out of a store. What `management.ts` puts behind HTTP is built on these few operations. */
export interface Engine {
  readonly hub: HubState;
  readonly functions: DurableFunctions;
  now(): Date;
  newInstance(what: NewInstance): Instance;
  /** Commits changes, then does what they ask for: run episodes, start activities, arm timers. */
  commit(changes: Change[]): void;
  /** Hands an event to an instance, if that execution still runs. */
  deliver(instanceId: string, event: HistoryEvent, executionId?: string): boolean;
  /** The change by which an ended child answers its parent; none where nobody waits. */
  tellParent(child: Instance): Change[];
  /** Takes up everything the store says is unfinished. */
  resume(): void;
  stop(): void;
}

export const newExecutionId = (): string => randomUUID().replaceAll('-', '');

export function createEngine(options: EngineOptions): Engine {
  const { store, clock, functions, invoke } = options;
  const random = options.random ?? Math.random;
  const hub = store.hub;
  const timers = createTimers(clock);
  const busy = new Set<string>();
  let stopped = false;

  const rules: EpisodeRules = {
    limits: azureTimerLimits,
    isActivity: (name) => functions.activities.includes(name),
    isOrchestrator: (name) => functions.orchestrators.includes(name),
    isEntity: (name) => functions.entities.some((each) => each.toLowerCase() === name),
    activityNames: () => functions.activities,
    orchestratorNames: () => functions.orchestrators,
    newId: randomUUID,
  };

  const deliver = (instanceId: string, arrived: HistoryEvent, executionId?: string): boolean => {
    const instance = hub.instances.get(instanceId);
    const current = executionId === undefined || instance?.executionId === executionId;
    if (stopped || !instance || isFinal(instance.status) || !current) return false;
    commit([{ op: 'arrived', id: instanceId, events: [arrived] }]);
    return true;
  };

  const activities = createActivityRunner({
    invoke,
    maxConcurrent: options.maxConcurrentActivities,
    chaos: options.chaos ?? {},
    random,
    now: clock.now,
    completed: (task, completion) => void deliver(task.instanceId, completion, task.executionId),
  });
  const entities = createEntityRunner({ hub, invoke, functions, now: clock.now, commit: (changes) => commit(changes) });
  const episodes = createLimiter(options.maxConcurrentOrchestrators);

  const commit = (changes: Change[]): void => {
    if (stopped) return;
    store.commit(changes);
    for (const change of changes) follow(change);
  };

  const follow = (change: Change): void => {
    if (change.op === 'instance') wake(change.instance.instanceId);
    if (change.op === 'entityRequest') entities.wake(change.entityId);
    if (change.op !== 'arrived' && change.op !== 'fields' && change.op !== 'episode') return;
    const instance = hub.instances.get(change.id);
    if (!instance) return;
    if (isFinal(instance.status)) {
      timers.cancelAll(instance.executionId);
      return;
    }
    if (change.op === 'episode') dispatch(instance, change.events);
    wake(change.id);
  };

  /** Starts what the instance's scheduling events ask for. Also how a restarted host takes up unfinished work. */
  const dispatch = (instance: Instance, events: HistoryEvent[]): void => {
    const { instanceId, executionId } = instance;
    for (const id of instance.cancelledTimers) timers.cancel(executionId, id);
    for (const made of events) {
      if (made.EventType === EventType.TaskScheduled)
        activities.run({
          instanceId,
          executionId,
          taskId: made.EventId,
          name: made.Name ?? '',
          input: made.Input ?? '[]',
        });
      if (made.EventType === EventType.TimerCreated && !instance.cancelledTimers.includes(made.EventId)) {
        const FireAt = made.FireAt ?? made.Timestamp;
        timers.arm(executionId, made.EventId, new Date(FireAt), () =>
          deliver(instanceId, event(EventType.TimerFired, clock.now(), { TimerId: made.EventId, FireAt }), executionId),
        );
      }
    }
  };

  const wake = (instanceId: string): void => {
    const instance = hub.instances.get(instanceId);
    const idle = !instance || isFinal(instance.status) || instance.status === 'Suspended' || !instance.inbox.length;
    if (idle || busy.has(instanceId)) return;
    busy.add(instanceId);
    episodes.run(async () => {
      try {
        await runEpisode(instanceId);
      } catch (error) {
        options.log('error', `Episode of '${instanceId}' broke: ${messageOf(error)}`, instanceId);
      } finally {
        busy.delete(instanceId);
        wake(instanceId);
      }
    });
  };

  const runEpisode = async (instanceId: string): Promise<void> => {
    const instance = hub.instances.get(instanceId);
    if (!instance || isFinal(instance.status) || instance.status === 'Suspended') return;
    const { executionId } = instance;
    const now = clock.now();
    const taken = instance.inbox.length;
    const delivered = [event(EventType.OrchestratorStarted, now), ...instance.inbox.map((each) => ({ ...each }))];
    const answer = await askOrchestrator(instance, delivered);
    const after = hub.instances.get(instanceId);
    // Terminated, purged or replaced while the orchestrator thought: its answer counts no more.
    if (stopped || !after || after.executionId !== executionId || isFinal(after.status)) return;
    const decision = decide(after, delivered, answer, now, rules);
    commit(changesOf(after, decision, taken));
  };

  const askOrchestrator = async (instance: Instance, delivered: HistoryEvent[]): Promise<OrchestratorAnswer> => {
    const played = instance.history.map((past) => ({ ...past, IsPlayed: true }));
    const payload = triggerPayload(instance, [...played, ...delivered], azureTimerLimits);
    try {
      const outcome = await invoke(instance.name, {
        kind: 'orchestration',
        instanceId: instance.instanceId,
        data: { string: payload },
        metadata: {},
      });
      const state = JSON.parse(outcome.returnValue?.json ?? 'null') as OrchestratorState | null;
      if (!state) return { kind: 'threw', message: 'the orchestrator function returned no state.' };
      return { kind: 'returned', state, returned: outcome.result };
    } catch (error) {
      return { kind: 'threw', message: messageOf(error) };
    }
  };

  const changesOf = (instance: Instance, decision: Decision, taken: number): Change[] => {
    const { ending } = decision;
    const at = clock.now();
    const customStatus = decision.customStatus === undefined ? {} : { customStatus: decision.customStatus };
    if (ending?.kind === 'continuedAsNew') return continueAsNew(instance, decision, taken, ending);
    const ended = ending ? endingFields(ending) : undefined;
    const closing = ended ? [executionCompleted(ended, at)] : [];
    return [
      {
        op: 'episode',
        id: instance.instanceId,
        taken,
        events: [...decision.events, ...closing],
        fields: {
          status: instance.status === 'Suspended' ? 'Suspended' : 'Running',
          updatedAt: at.toISOString(),
          cancelledTimers: decision.cancelledTimers,
          ...customStatus,
          ...ended,
        },
      },
      ...(ended ? tellParent({ ...instance, ...ended }) : []),
      ...sendOut(instance, decision.events),
    ];
  };

  /** A new execution under the same id. What arrived for the old one is dropped, except events raised since. */
  const continueAsNew = (
    instance: Instance,
    decision: Decision,
    taken: number,
    ending: { input: string | null; carriedOver: HistoryEvent[] },
  ): Change[] => {
    const later = instance.inbox.slice(taken).filter((each) => each.EventType === EventType.EventRaised);
    const next = newInstance({
      name: instance.name,
      instanceId: instance.instanceId,
      input: ending.input,
      version: instance.version,
      ...(instance.parent ? { parent: instance.parent } : {}),
    });
    timers.cancelAll(instance.executionId);
    return [
      ...sendOut(instance, decision.events),
      {
        op: 'instance',
        instance: {
          ...next,
          status: 'ContinuedAsNew',
          createdAt: instance.createdAt,
          customStatus: decision.customStatus ?? instance.customStatus,
          inbox: [...next.inbox, ...ending.carriedOver, ...later],
        },
      },
    ];
  };

  /** Children and entity requests that the new scheduling events call for, in the same commit as the events. */
  const sendOut = (instance: Instance, events: HistoryEvent[]): Change[] =>
    events.flatMap((made): Change[] => {
      if (made.EventType === EventType.EventSent) return [entities.request(instance, made)];
      if (made.EventType !== EventType.SubOrchestrationInstanceCreated) return [];
      const instanceId = made.InstanceId ?? '';
      const parent: Parent = {
        name: instance.name,
        instanceId: instance.instanceId,
        executionId: instance.executionId,
        taskId: made.EventId,
      };
      const existing = hub.instances.get(instanceId);
      // Azure's providers differ here (an error, or silence); the estate takes the error.
      if (existing && !isFinal(existing.status))
        return tellParent({
          ...existing,
          parent,
          status: 'Failed',
          output: JSON.stringify(alreadyExists(existing.status)),
        });
      const version = made.Version ?? '';
      return [
        {
          op: 'instance',
          instance: newInstance({ name: made.Name ?? '', instanceId, input: made.Input ?? null, version, parent }),
        },
      ];
    });

  const tellParent = (child: Instance): Change[] => {
    const parent = child.parent && hub.instances.get(child.parent.instanceId);
    if (!child.parent || parent?.executionId !== child.parent.executionId || isFinal(parent.status)) return [];
    const answer = childAnswer(child, child.parent.taskId, clock.now());
    return [{ op: 'arrived', id: child.parent.instanceId, events: [answer] }];
  };

  const newInstance = (what: NewInstance): Instance => {
    const at = clock.now();
    const executionId = newExecutionId();
    return {
      instanceId: what.instanceId,
      executionId,
      name: what.name,
      version: what.version ?? '',
      input: what.input,
      parent: what.parent ?? null,
      status: 'Pending',
      output: null,
      customStatus: null,
      createdAt: at.toISOString(),
      updatedAt: at.toISOString(),
      history: [],
      inbox: [executionStarted(what, executionId, at)],
      cancelledTimers: [],
    };
  };

  const resume = (): void => {
    for (const instance of hub.instances.values()) {
      if (isFinal(instance.status)) continue;
      dispatch(instance, unfinishedWork(instance));
      wake(instance.instanceId);
    }
    entities.resume();
  };

  return {
    hub,
    functions,
    now: clock.now,
    newInstance,
    commit,
    deliver,
    tellParent,
    resume,
    stop() {
      stopped = true;
      episodes.stop();
      activities.stop();
      timers.stop();
      store.close();
    },
  };
}
