import type { DurableClient } from 'durable-functions';
import { ProblemError } from './problem.ts';

const UNDER_WAY = new Set(['Running', 'Pending', 'Suspended', 'ContinuedAsNew']);

/**
 * Our own view of an instance. The management addresses of the durable extension carry its system key, so they never leave
 * the app.
 */
export async function showOperation(client: DurableClient, id: string) {
  const status = await client.getStatus(id).catch((error: unknown) => {
    if (String(error).includes('HTTP 404 response')) return undefined;
    throw error;
  });
  if (!status) {
    throw new ProblemError({
      status: 404,
      code: 'OperationNotFound',
      title: 'No such operation',
      detail: `No operation has the id ${id}; histories are kept for the configured retention.`,
      nextStep: 'Use the id from the Location header of the answer that accepted the request.',
    });
  }
  const underWay = UNDER_WAY.has(String(status.runtimeStatus));
  const body = {
    id,
    status: underWay ? 'running' : String(status.runtimeStatus).toLowerCase(),
    phase: status.customStatus ?? null,
    startedOn: new Date(status.createdTime).toISOString(),
    updatedOn: new Date(status.lastUpdatedTime).toISOString(),
    outcome: underWay ? null : outcomeOf(status.output),
  };
  return underWay ? { status: 202, headers: { 'retry-after': '5' }, body } : { status: 200, body };
}

/** A failed instance answers with its exception as text: the first line is for people, the rest is a stack. */
const outcomeOf = (output: unknown): unknown =>
  typeof output === 'string' ? (output.split('\n')[0]?.trim() ?? '') : (output ?? null);
