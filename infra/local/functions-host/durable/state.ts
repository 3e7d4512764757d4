import type { HistoryEvent } from './history.ts';

export type RuntimeStatus =
  | 'Pending'
  | 'Running'
  | 'Completed'
  | 'Failed'
  | 'Canceled'
  | 'Terminated'
  | 'ContinuedAsNew'
  | 'Suspended';

const finalStatuses: ReadonlySet<RuntimeStatus> = new Set(['Completed', 'Failed', 'Canceled', 'Terminated']);

export const isFinal = (status: RuntimeStatus): boolean => finalStatuses.has(status);

/** Who waits for a sub-orchestration, and under which of its task ids. */
export interface Parent {
  name: string;
  instanceId: string;
  executionId: string;
  taskId: number;
}

/** Everything known of one orchestration instance. JSON texts stay text, as the framework keeps them. */
export interface Instance {
  instanceId: string;
  executionId: string;
  name: string;
  version: string;
  input: string | null;
  parent: Parent | null;
  status: RuntimeStatus;
  output: string | null;
  customStatus: string | null;
  createdAt: string;
  updatedAt: string;
  history: HistoryEvent[];
  /** Arrived and not yet shown to the orchestrator. */
  inbox: HistoryEvent[];
  /** Ids of timers that must not fire any more. */
  cancelledTimers: number[];
}

/** One operation waiting for an entity. `parent` awaits the answer; a signal has none. */
export interface EntityRequest {
  id: string;
  operation: string;
  input: string | null;
  parent: { instanceId: string; executionId: string } | null;
}

export interface EntityRecord {
  entityId: string;
  exists: boolean;
  state: string | null;
  updatedAt: string;
  queue: EntityRequest[];
}

/** One change. A commit is a list of them, written as one line and applied together. */
export type Change =
  | { op: 'instance'; instance: Instance }
  | { op: 'arrived'; id: string; events: HistoryEvent[] }
  | { op: 'episode'; id: string; taken: number; events: HistoryEvent[]; fields: Partial<Instance> }
  | { op: 'fields'; id: string; events: HistoryEvent[]; fields: Partial<Instance> }
  | { op: 'purged'; id: string }
  | { op: 'entity'; entity: EntityRecord }
  | { op: 'entityRequest'; entityId: string; at: string; request: EntityRequest };

export interface HubState {
  instances: Map<string, Instance>;
  entities: Map<string, EntityRecord>;
}

export const emptyHub = (): HubState => ({ instances: new Map(), entities: new Map() });

/** Changes the hub in place. Changes of an instance that is gone are dropped: it was purged meanwhile. */
export function apply(hub: HubState, change: Change): void {
  switch (change.op) {
    case 'instance':
      hub.instances.set(change.instance.instanceId, structuredClone(change.instance));
      return;
    case 'purged':
      hub.instances.delete(change.id);
      return;
    case 'entity':
      hub.entities.set(change.entity.entityId, structuredClone(change.entity));
      return;
    case 'entityRequest': {
      const entity = hub.entities.get(change.entityId) ?? newEntity(change.entityId, change.at);
      entity.queue.push(change.request);
      hub.entities.set(change.entityId, entity);
      return;
    }
    default:
      applyToInstance(hub.instances.get(change.id), change);
  }
}

type InstanceChange = Extract<Change, { op: 'arrived' | 'episode' | 'fields' }>;

function applyToInstance(instance: Instance | undefined, change: InstanceChange): void {
  if (!instance) return;
  if (change.op === 'arrived') {
    instance.inbox.push(...change.events);
    return;
  }
  if (change.op === 'episode') {
    instance.inbox.splice(0, change.taken);
    for (const past of instance.history) past.IsPlayed = true;
  }
  instance.history.push(...change.events);
  Object.assign(instance, change.fields);
}

const newEntity = (entityId: string, at: string): EntityRecord => ({
  entityId,
  exists: false,
  state: null,
  updatedAt: at,
  queue: [],
});
