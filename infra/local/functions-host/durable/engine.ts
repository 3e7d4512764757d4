import { randomUUID } from 'node:crypto';
import type { EstateClock } from '../../clock.ts';
import { type Invoke, messageOf } from '../invocation.ts';
import type { OrchestratorState } from './actions.ts';
import { createActivityRunner } from './activities.ts';
import { type Changes, createChanges } from './changes.ts';
import type { Chaos } from './chaos.ts';
import { unfinishedWork } from './ending.ts';
import { createEntityRunner } from './entities.ts';
import { decide, type EpisodeRules, type OrchestratorAnswer, triggerPayload } from './episode.ts';
import { EventType, event, type HistoryEvent } from './history.ts';
import { createLimiter } from './limiter.ts';
import { azureTimerLimits } from './replay.ts';
import { type Change, type HubState, type Instance, isFinal } from './state.ts';
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
  log(level: 'error', message: string): void;
}

/** Runs orchestrations out of a store. What `management.ts` puts behind HTTP is built on these few operations. */
export interface Engine extends Pick<Changes, 'newInstance' | 'tellParent'> {
  readonly hub: HubState;
  readonly functions: DurableFunctions;
  now(): Date;
  /** Commits changes, then does what they ask for: run episodes, start activities, arm timers. */
  commit(changes: Change[]): void;
  /** Hands an event to an instance, if that execution still runs. */
  deliver(instanceId: string, event: HistoryEvent, executionId?: string): boolean;
  /** Takes up everything the store says is unfinished. */
  resume(): void;
  /** Whether an episode, an activity or an entity runs or is about to. */
  isBusy(): boolean;
  /** Instances that have not ended, with the first timer that each waits for. */
  underWay(): { instanceId: string; next?: string }[];
  stop(): void;
}

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
  const entities = createEntityRunner({ hub, invoke, functions, now: clock.now, commit: (made) => commit(made) });
  const changes = createChanges(hub, clock.now);
  const episodes = createLimiter(options.maxConcurrentOrchestrators);

  const commit = (made: Change[]): void => {
    if (stopped) return;
    store.commit(made);
    for (const change of made) follow(change);
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
        fail(instanceId, `the local durable engine broke: ${messageOf(error)}`);
      } finally {
        busy.delete(instanceId);
        wake(instanceId);
      }
    });
  };

  /** For what must not happen: an instance that breaks the engine would otherwise be tried for ever. */
  const fail = (instanceId: string, reason: string): void => {
    const instance = hub.instances.get(instanceId);
    options.log('error', `Instance '${instanceId}' fails: ${reason}`);
    if (!instance) return;
    commit(
      changes.afterEpisode(
        instance,
        { events: [], cancelledTimers: [], ending: { kind: 'failed', reason } },
        instance.inbox.length,
      ),
    );
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
    if (decision.ending?.kind === 'failed')
      options.log('error', `Instance '${instanceId}' failed. Reason: ${decision.ending.reason}`);
    commit(changes.afterEpisode(after, decision, taken));
    if (hub.instances.get(instanceId)?.executionId !== executionId) timers.cancelAll(executionId);
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
    newInstance: changes.newInstance,
    commit,
    deliver,
    tellParent: changes.tellParent,
    resume,
    isBusy: () => busy.size > 0 || activities.open > 0 || entities.isBusy,
    underWay: () =>
      [...hub.instances.values()].flatMap(({ instanceId, executionId, status }) => {
        if (isFinal(status)) return [];
        const next = timers.next(executionId)?.toISOString();
        return [{ instanceId, ...(next === undefined ? {} : { next }) }];
      }),
    stop() {
      stopped = true;
      episodes.stop();
      activities.stop();
      timers.stop();
      store.close();
    },
  };
}
