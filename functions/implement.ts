import type { InvocationContext } from '@azure/functions';
import type { OrchestrationContext, Task } from 'durable-functions';
import * as df from 'durable-functions';
import type * as z from 'zod';
import { AppError, isTransient } from '../shared/errors.ts';
import { createLog, type Log } from '../shared/log.ts';
import type { ActivityInput, ActivityName, OrchestrationName } from './contracts/inputs.ts';
import type { ActivityOutcomes, Failed } from './contracts/outcomes.ts';
import { createStarter, type Starter } from './start-once.ts';
import type { World } from './world.ts';

/** What an activity is given beside its input. */
export interface ActivityContext {
  log: Log;
  starter: Starter;
}

export type ActivityHandler<N extends ActivityName> = (
  input: ActivityInput<N>,
  context: ActivityContext,
) => Promise<ActivityOutcomes[N] | Failed>;

export type ActivityHandlers = { [N in ActivityName]: ActivityHandler<N> };

/** Where each activity is to be had. */
export type ActivityTable = { [N in ActivityName]: (world: World) => Promise<Pick<ActivityHandlers, N>> };

/**
 * Registers activities by name; what implements one is loaded when it first runs. Each input is parsed on arrival, because an
 * instance started last month may still speak last month's shape. Faults that asking again may cure leave as throws, so that
 * the caller's retry policy applies; faults that will not go away become answers; anything else is a bug and leaves as it is.
 */
export function implementActivities(table: ActivityTable, world: () => Promise<World>): void {
  for (const name of Object.keys(table) as ActivityName[]) {
    df.app.activity(name, {
      extraInputs: [df.input.durableClient()],
      handler: (raw: unknown, invocation: InvocationContext) =>
        runActivity(name, loadedLate(table, name, world), raw, {
          log: createLog(invocation),
          starter: createStarter(df.getClient(invocation)),
        }),
    });
  }
}

/** Asked for anew by each run, which costs nothing: the runtime remembers what it has loaded. */
const loadedLate =
  <N extends ActivityName>(table: ActivityTable, name: N, world: () => Promise<World>): ActivityHandler<N> =>
  async (input, context) => {
    const handlers = await table[name](await world());
    return handlers[name](input, context);
  };

/** One run of an activity: its answer, a lasting fault as an answer, or a throw that asks for another run. */
export async function runActivity<N extends ActivityName>(
  name: N,
  handler: ActivityHandler<N>,
  raw: unknown,
  context: ActivityContext,
): Promise<ActivityOutcomes[N] | Failed> {
  const { inputs } = await import('./contracts/inputs.ts');
  try {
    return await handler(parseInput(name, inputs[name], raw) as ActivityInput<N>, context);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message } = error;
    context.log.warn('ActivityFailed', { activity: name, code, message, again: isTransient(error) });
    if (isTransient(error)) throw error;
    return asFailed(error);
  }
}

/** An input that does not parse now will not parse later, so it is told at once instead of being asked for again. */
function parseInput(name: ActivityName, schema: z.ZodType, raw: unknown): unknown {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  throw new AppError('ERR_INPUT', `The step ${name} does not understand what it was given (${faults.join('; ')}).`, {
    nextStep: 'Let the version of the app that started this finish it, or start it anew with this one.',
  });
}

const asFailed = (error: AppError): Failed => ({
  kind: 'failed',
  code: error.code,
  message: error.message,
  nextStep: error.nextStep,
  ...(error.denial ? { denial: error.denial } : {}),
});

export type Orchestrator = (context: OrchestrationContext) => Generator<Task, unknown, unknown>;

export function implementOrchestrations(orchestrators: Record<OrchestrationName, Orchestrator>): void {
  for (const [name, orchestrator] of Object.entries(orchestrators)) df.app.orchestration(name, orchestrator);
}
