import { randomUUID } from 'node:crypto';
import { alreadyExists, childAnswer, endingFields, executionCompleted, executionStarted } from './ending.ts';
import { requestOf } from './entities.ts';
import type { Decision } from './episode.ts';
import { EventType, type HistoryEvent } from './history.ts';
import { type Change, type HubState, type Instance, isFinal, type Parent } from './state.ts';

export interface NewInstance {
  name: string;
  instanceId: string;
  /** JSON text. */
  input: string | null;
  version?: string;
  parent?: Parent;
}

/** Puts decisions into the changes that carry them out, whole: a child exists exactly when its parent's event does. */
export interface Changes {
  newInstance(what: NewInstance): Instance;
  /** `taken`: how many events of the inbox the episode consumed. */
  afterEpisode(instance: Instance, decision: Decision, taken: number): Change[];
  /** The change by which an ended child answers its parent; none where nobody waits. */
  tellParent(child: Instance): Change[];
}

/** 32 hexadecimal digits, as the framework makes instance and execution ids. */
export const newExecutionId = (): string => randomUUID().replaceAll('-', '');

export function createChanges(hub: HubState, now: () => Date): Changes {
  const newInstance = (what: NewInstance): Instance => {
    const at = now();
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

  const tellParent = (child: Instance): Change[] => {
    const parent = child.parent && hub.instances.get(child.parent.instanceId);
    if (!child.parent || parent?.executionId !== child.parent.executionId || isFinal(parent.status)) return [];
    return [{ op: 'arrived', id: parent.instanceId, events: [childAnswer(child, child.parent.taskId, now())] }];
  };

  const afterEpisode = (instance: Instance, decision: Decision, taken: number): Change[] => {
    const { ending } = decision;
    if (ending?.kind === 'continuedAsNew') return continueAsNew(instance, decision, taken, ending);
    const at = now();
    const ended = ending ? endingFields(ending) : undefined;
    return [
      {
        op: 'episode',
        id: instance.instanceId,
        taken,
        events: [...decision.events, ...(ended ? [executionCompleted(ended, at)] : [])],
        fields: {
          // A suspension that came while the orchestrator thought stays in force.
          status: instance.status === 'Suspended' ? 'Suspended' : 'Running',
          updatedAt: at.toISOString(),
          cancelledTimers: decision.cancelledTimers,
          ...(decision.customStatus === undefined ? {} : { customStatus: decision.customStatus }),
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
    return [
      ...sendOut(instance, decision.events),
      {
        op: 'instance',
        instance: {
          ...next,
          status: instance.status === 'Suspended' ? 'Suspended' : 'ContinuedAsNew',
          createdAt: instance.createdAt,
          customStatus: decision.customStatus ?? instance.customStatus,
          inbox: [...next.inbox, ...ending.carriedOver, ...later],
        },
      },
    ];
  };

  /** Children and entity requests that the new scheduling events call for. */
  const sendOut = (instance: Instance, events: HistoryEvent[]): Change[] => {
    const born = new Set<string>();
    return events.flatMap((made): Change[] => {
      if (made.EventType === EventType.EventSent) return [requestOf(instance, made)];
      if (made.EventType !== EventType.SubOrchestrationInstanceCreated) return [];
      const child = newChild(instance, made);
      const existing = hub.instances.get(child.instanceId);
      const taken = born.has(child.instanceId) || (existing && !isFinal(existing.status));
      born.add(child.instanceId);
      if (!taken) return [{ op: 'instance', instance: child }];
      // Azure's storage providers differ on an id that is in use (an error, or silence); the estate takes the error.
      const reason = alreadyExists(existing?.status ?? 'Pending');
      return tellParent({ ...child, status: 'Failed', output: JSON.stringify(reason) });
    });
  };

  const newChild = (instance: Instance, made: HistoryEvent): Instance =>
    newInstance({
      name: made.Name ?? '',
      instanceId: made.InstanceId ?? '',
      input: made.Input ?? null,
      version: made.Version ?? '',
      parent: {
        name: instance.name,
        instanceId: instance.instanceId,
        executionId: instance.executionId,
        taskId: made.EventId,
      },
    });

  return { newInstance, afterEpisode, tellParent };
}
