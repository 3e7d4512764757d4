import { type Invoke, messageOf } from '../invocation.ts';
import { EventType, event, type HistoryEvent } from './history.ts';
import type { Change, EntityRecord, EntityRequest, HubState, Instance } from './state.ts';

/** What an entity function returns for a batch. */
interface EntityAnswer {
  entityExists: boolean;
  entityState?: string;
  results: { isError: boolean; result?: string }[];
  signals: { target: { name: string; key: string }; name: string; input: string; requestId: string }[];
}

export interface EntityRunner {
  wake(entityId: string): void;
  readonly isBusy: boolean;
  resume(): void;
}

export const entityIdOf = (name: string, key: string): string => `@${name.toLowerCase()}@${key}`;

/** The change that puts an orchestration's EventSent before the entity. */
export function requestOf(sender: Instance, sent: HistoryEvent): Change {
  const message = JSON.parse(sent.Input ?? '{}') as { id: string; op: string; input?: string; signal: boolean };
  return {
    op: 'entityRequest',
    entityId: sent.InstanceId ?? '',
    at: sent.Timestamp,
    request: {
      id: message.id,
      operation: message.op,
      input: message.input ?? null,
      parent: message.signal ? null : { instanceId: sender.instanceId, executionId: sender.executionId },
    },
  };
}

/** Runs entity operations, one batch at a time for each entity. Locks and scheduled signals are left out. */
export function createEntityRunner(options: {
  hub: HubState;
  invoke: Invoke;
  functions: { entities: string[] };
  now(): Date;
  commit(changes: Change[]): void;
}): EntityRunner {
  const { hub } = options;
  const busy = new Set<string>();

  const wake = (entityId: string): void => {
    const entity = hub.entities.get(entityId);
    if (!entity || entity.queue.length === 0 || busy.has(entityId)) return;
    busy.add(entityId);
    setImmediate(() => {
      runBatch(entity).finally(() => {
        busy.delete(entityId);
        wake(entityId);
      });
    });
  };

  const runBatch = async (entity: EntityRecord): Promise<void> => {
    const batch = [...entity.queue];
    const answer = await ask(entity, batch);
    const at = options.now();
    const after = hub.entities.get(entity.entityId) ?? entity;
    options.commit([
      {
        op: 'entity',
        entity: {
          entityId: entity.entityId,
          exists: answer.entityExists,
          state: answer.entityExists ? (answer.entityState ?? null) : null,
          updatedAt: at.toISOString(),
          queue: after.queue.slice(batch.length),
        },
      },
      ...batch.flatMap((request, index) => reply(request, answer.results[index], at)),
      ...answer.signals.map((signal): Change => {
        const entityId = entityIdOf(signal.target.name, signal.target.key);
        const request = { id: signal.requestId, operation: signal.name, input: signal.input || null, parent: null };
        return { op: 'entityRequest', entityId, at: at.toISOString(), request };
      }),
    ]);
  };

  const ask = async (entity: EntityRecord, batch: EntityRequest[]): Promise<EntityAnswer> => {
    const [, name = '', ...key] = entity.entityId.split('@');
    const functionName = options.functions.entities.find((each) => each.toLowerCase() === name) ?? name;
    const payload = JSON.stringify({
      self: { name, key: key.join('@') },
      exists: entity.exists,
      state: entity.state,
      batch: batch.map((request) => ({
        name: request.operation,
        input: request.input,
        isSignal: request.parent === null,
        id: request.id,
      })),
    });
    try {
      const outcome = await options.invoke(functionName, {
        kind: 'entity',
        instanceId: entity.entityId,
        data: { string: payload },
        metadata: {},
      });
      return JSON.parse(outcome.returnValue?.json ?? 'null') as EntityAnswer;
    } catch (error) {
      // The whole batch failed: the state stays, every caller hears why.
      const result = { isError: true, result: JSON.stringify(messageOf(error)) };
      return {
        entityExists: entity.exists,
        ...(entity.state === null ? {} : { entityState: entity.state }),
        results: batch.map(() => result),
        signals: [],
      };
    }
  };

  const reply = (request: EntityRequest, result: EntityAnswer['results'][number] | undefined, at: Date): Change[] => {
    const caller = request.parent && hub.instances.get(request.parent.instanceId);
    if (!request.parent || caller?.executionId !== request.parent.executionId) return [];
    const Input = JSON.stringify({
      result: result?.result ?? 'null',
      ...(result?.isError ? { exceptionType: 'System.Exception' } : {}),
    });
    return [
      { op: 'arrived', id: caller.instanceId, events: [event(EventType.EventRaised, at, { Name: request.id, Input })] },
    ];
  };

  return {
    wake,
    get isBusy() {
      return busy.size > 0;
    },
    resume() {
      for (const entityId of hub.entities.keys()) wake(entityId);
    },
  };
}
