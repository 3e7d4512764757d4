import { newExecutionId } from './changes.ts';
import { alreadyExists, executionCompleted } from './ending.ts';
import type { Engine } from './engine.ts';
import { entityIdOf } from './entities.ts';
import { EventType, event } from './history.ts';
import { type Instance, isFinal, type RuntimeStatus } from './state.ts';

/** A refusal, with the HTTP status that the extension gives it. */
export class ManagementError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface InstanceFilter {
  createdFrom?: Date;
  createdTo?: Date;
  statuses?: RuntimeStatus[];
  instanceIdPrefix?: string;
}

/** The operations behind the client. Each throws ManagementError with the extension's status. */
export interface Management {
  start(name: string, instanceId: string | undefined, input: string | null, version?: string): string;
  find(instanceId: string): Instance | undefined;
  /** Oldest first. */
  list(filter: InstanceFilter): Instance[];
  raiseEvent(instanceId: string, name: string, input: string): void;
  terminate(instanceId: string, reason: string): void;
  suspend(instanceId: string, reason: string): void;
  resume(instanceId: string, reason: string): void;
  restart(instanceId: string, withNewId: boolean): string;
  /** How many instances were dropped. Running ones stay. */
  purge(instances: Instance[]): number;
  signalEntity(name: string, key: string, operation: string, input: string | null): void;
  /** JSON text of an entity's state. */
  readEntity(name: string, key: string): string | undefined;
}

export function createManagement(engine: Engine): Management {
  const { hub } = engine;

  const find = (instanceId: string) => hub.instances.get(instanceId);

  /** An instance that can still take something: 404 for an unknown one, 410 for one that has ended. */
  const running = (instanceId: string): Instance => {
    const instance = find(instanceId);
    if (!instance) throw new ManagementError(404, `No instance with ID '${instanceId}' was found.`);
    if (isFinal(instance.status)) throw new ManagementError(410, `Instance '${instanceId}' is ${instance.status}.`);
    return instance;
  };

  const start: Management['start'] = (name, givenId, input, version) => {
    if (!engine.functions.orchestrators.includes(name))
      throw new ManagementError(400, unknownOrchestrator(name, engine.functions.orchestrators));
    const instanceId = givenId || newExecutionId();
    const fault = instanceIdFault(instanceId);
    if (fault) throw new ManagementError(400, fault);
    const existing = find(instanceId);
    // 500, because the extension maps only argument errors to 400. overridableExistingInstanceStates: NonRunningStates.
    if (existing && !isFinal(existing.status)) throw new ManagementError(500, alreadyExists(existing.status));
    const instance = engine.newInstance({ name, instanceId, input, ...(version ? { version } : {}) });
    engine.commit([{ op: 'instance', instance }]);
    return instanceId;
  };

  const change = (instance: Instance, fields: Partial<Instance>, type: 19 | 20, reason: string): void => {
    const at = engine.now();
    const events = [event(type, at, { Reason: reason })];
    engine.commit([
      { op: 'fields', id: instance.instanceId, events, fields: { ...fields, updatedAt: at.toISOString() } },
    ]);
  };

  return {
    start,
    find,
    list: (filter) =>
      [...hub.instances.values()]
        .filter((instance) => matches(instance, filter))
        .toSorted((a, b) => a.createdAt.localeCompare(b.createdAt) || a.instanceId.localeCompare(b.instanceId)),
    raiseEvent(instanceId, name, input) {
      running(instanceId);
      engine.deliver(instanceId, event(EventType.EventRaised, engine.now(), { Name: name, Input: input }));
    },
    terminate(instanceId, reason) {
      const instance = running(instanceId);
      const at = engine.now();
      const ended = { status: 'Terminated' as const, output: JSON.stringify(reason) };
      engine.commit([
        {
          op: 'fields',
          id: instanceId,
          events: [event(EventType.ExecutionTerminated, at, { Input: reason }), executionCompleted(ended, at)],
          fields: { ...ended, updatedAt: at.toISOString(), inbox: [] },
        },
        ...engine.tellParent({ ...instance, ...ended }),
      ]);
    },
    suspend: (instanceId, reason) =>
      change(running(instanceId), { status: 'Suspended' }, EventType.ExecutionSuspended, reason),
    resume(instanceId, reason) {
      const instance = running(instanceId);
      if (instance.status !== 'Suspended') return;
      change(instance, { status: 'Running' }, EventType.ExecutionResumed, reason);
    },
    restart(instanceId, withNewId) {
      const instance = find(instanceId);
      if (!instance) throw new ManagementError(400, `An orchestrator with the instanceId ${instanceId} was not found.`);
      return start(instance.name, withNewId ? undefined : instanceId, instance.input, instance.version);
    },
    purge(instances) {
      const ended = instances.filter((instance) => isFinal(instance.status));
      engine.commit(ended.map((instance) => ({ op: 'purged', id: instance.instanceId })));
      return ended.length;
    },
    signalEntity(name, key, operation, input) {
      if (!engine.functions.entities.some((each) => each.toLowerCase() === name.toLowerCase()))
        throw new ManagementError(400, `The entity function '${name}' doesn't exist.`);
      const request = { id: newExecutionId(), operation, input, parent: null };
      const at = engine.now().toISOString();
      engine.commit([{ op: 'entityRequest', entityId: entityIdOf(name, key), at, request }]);
    },
    readEntity(name, key) {
      const entity = hub.entities.get(entityIdOf(name, key));
      return entity?.exists ? (entity.state ?? undefined) : undefined;
    },
  };
}

function matches(instance: Instance, filter: InstanceFilter): boolean {
  const created = Date.parse(instance.createdAt);
  return (
    (filter.createdFrom === undefined || created >= filter.createdFrom.getTime()) &&
    (filter.createdTo === undefined || created <= filter.createdTo.getTime()) &&
    (!filter.statuses?.length || filter.statuses.includes(instance.status)) &&
    (filter.instanceIdPrefix === undefined || instance.instanceId.startsWith(filter.instanceIdPrefix))
  );
}

const unknownOrchestrator = (name: string, known: string[]): string =>
  `The function '${name}' doesn't exist, is disabled, or is not an orchestrator function. Additional info: ` +
  (known.length === 0
    ? 'No orchestrator functions are currently registered!'
    : `The following are the known orchestrator functions: ${known.map((each) => `'${each}'`).join(', ')}.`);

/** Why a client may not use this instance id; undefined when it may. */
export function instanceIdFault(instanceId: string): string | undefined {
  if (instanceId.startsWith('@')) return 'Orchestration instance ids must not start with @.';
  if (/[/\\#?]/.test(instanceId) || /\p{Cc}/u.test(instanceId))
    return 'Orchestration instance ids must not contain /, \\, #, ?, or control characters.';
  if (instanceId.length > 100) return 'Instance ID lengths must not exceed 100 characters.';
  return undefined;
}
