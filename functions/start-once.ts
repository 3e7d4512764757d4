import type { DurableClient } from 'durable-functions';
import type { OrchestrationInputs, OrchestrationName } from './contracts/inputs.ts';
import { INCIDENT_CHANGED } from './instance-ids.ts';

export type StartOutcome = 'started' | 'running' | 'finished';

/** Starts orchestrations, once for each instance id. */
export interface Starter {
  /**
   * `running` when that instance is under way, `finished` when it has already ended in one of the kinds of `final`, so that
   * running it again could change nothing.
   */
  startOnce<N extends OrchestrationName>(
    name: N,
    instanceId: string,
    input: OrchestrationInputs[N],
    final?: readonly string[],
  ): Promise<StartOutcome>;
  /** Whether an instance of this id is running, pending or suspended. */
  isUnderWay(instanceId: string): Promise<boolean>;
  /** Tells the response to an incident that there is something to look at. One that ends meanwhile has looked already. */
  wake(incident: string): Promise<void>;
}

const UNDER_WAY = new Set(['Running', 'Pending', 'Suspended', 'ContinuedAsNew']);

/**
 * The start itself is the guard: a running id refuses a second start. The service reports that refusal as a plain 500, so a
 * failed start counts as "running" only after the status says so.
 */
export function createStarter(client: DurableClient): Starter {
  const status = (instanceId: string) => statusOf(client, instanceId);
  return {
    async isUnderWay(instanceId) {
      const found = await status(instanceId);
      return found !== undefined && UNDER_WAY.has(String(found.runtimeStatus));
    },
    wake: (incident) => wakeInstance(client, incident, INCIDENT_CHANGED),
    async startOnce(name, instanceId, input, final = []) {
      const before = await status(instanceId);
      const runtimeStatus = before ? String(before.runtimeStatus) : undefined;
      if (runtimeStatus && UNDER_WAY.has(runtimeStatus)) return 'running';
      const kind = (before?.output as { kind?: string } | undefined)?.kind;
      if (runtimeStatus === 'Completed' && kind !== undefined && final.includes(kind)) return 'finished';
      try {
        await client.startNew(name, { instanceId, input });
        return 'started';
      } catch (error) {
        const after = await status(instanceId);
        if (after && UNDER_WAY.has(String(after.runtimeStatus))) return 'running';
        throw error;
      }
    },
  };
}

/**
 * Tells an instance that there is something to look at. One that has not begun, or ends meanwhile, finds it in what is stored:
 * so that nobody is told that their request failed which was kept.
 */
export async function wakeInstance(client: DurableClient, instanceId: string, event: string): Promise<void> {
  try {
    await client.raiseEvent(instanceId, event, {});
  } catch (error) {
    const found = await statusOf(client, instanceId);
    if (found && UNDER_WAY.has(String(found.runtimeStatus))) throw error;
  }
}

async function statusOf(client: DurableClient, instanceId: string) {
  try {
    return await client.getStatus(instanceId);
  } catch (error) {
    // The client throws for an instance that it does not know, and says so only in its text.
    if (String(error).includes('HTTP 404 response')) return undefined;
    throw error;
  }
}
