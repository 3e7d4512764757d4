import type { OrchestrationContext, Task } from 'durable-functions';
import * as df from 'durable-functions';
import type { ActivityInput, ActivityName, OrchestrationInputs, OrchestrationName } from './contracts/inputs.ts';
import type { Outcome } from './contracts/outcomes.ts';

/** A generator that orchestrators delegate to with `yield*`, which gives each answer its type. */
export type Step<T> = Generator<Task, T, unknown>;

type Steps = { [N in ActivityName]: (input: ActivityInput<N>) => Step<Outcome<N>> };

/**
 * Retries are bounded by count, never by time: an exceeded retry time-out ends a JavaScript orchestration past any catch.
 * https://github.com/Azure/azure-functions-durable-js/issues/629
 */
const PATIENT = { first: 5_000, attempts: 8, coefficient: 2, longest: 120_000 };
const BRISK = { first: 2_000, attempts: 5, coefficient: 2, longest: 30_000 };

/** Mail systems are down for longer than HSMs, and what was done is told even when the state account was away meanwhile. */
const MAIL = { first: 10_000, attempts: 6, coefficient: 3, longest: 900_000 };

/** A receiver may be away for a night's maintenance: ten attempts over about four hours. */
const WEBHOOK = { first: 10_000, attempts: 10, coefficient: 3, longest: 3_600_000 };

const policies: Partial<Record<ActivityName, typeof PATIENT>> = {
  createKeyVersion: PATIENT,
  surveyKeys: BRISK,
  // The next cycle comes in minutes, and reads what this one could not.
  sendCanary: BRISK,
  judgeWindow: BRISK,
  learnBaseline: BRISK,
  routeNotice: MAIL,
  sendMail: MAIL,
  settleNotice: MAIL,
  queueNotice: MAIL,
  // A workspace that is away must not hold containment up: the second time round it is a gap that is said.
  collectEvidence: BRISK,
  planIncident: BRISK,
  sendWebhook: WEBHOOK,
  settleWebhook: MAIL,
};

function retryOptions(name: ActivityName): df.RetryOptions {
  const policy = policies[name] ?? PATIENT;
  const options = new df.RetryOptions(policy.first, policy.attempts);
  options.backoffCoefficient = policy.coefficient;
  options.maxRetryIntervalInMilliseconds = policy.longest;
  return options;
}

/** Typed calls to activities: `const { inspectKey } = steps(context); const seen = yield* inspectKey({ key });`. */
export function steps(context: OrchestrationContext): Steps {
  return new Proxy({} as Steps, {
    get: (_, name: ActivityName) =>
      function* (input: unknown): Step<unknown> {
        return yield context.df.callActivityWithRetry(name, retryOptions(name), input);
      },
  });
}

/** Waits until `at`, however far away; an instant that has passed does not wait. */
export function* waitUntil(context: OrchestrationContext, at: string): Step<void> {
  const instant = new Date(at);
  if (instant > context.df.currentUtcDateTime) yield context.df.createTimer(instant);
}

/** A timer that something else may win against; whoever made it cancels it then. */
export const timerAt = (context: OrchestrationContext, at: string) => context.df.createTimer(new Date(at));

/** The instant halfway between now and `at`. */
export function halfwayTo(context: OrchestrationContext, at: string): string {
  const now = context.df.currentUtcDateTime.getTime();
  return new Date((now + new Date(at).getTime()) / 2).toISOString();
}

export function* pause(context: OrchestrationContext, ms: number): Step<void> {
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + ms));
}

/** Runs another orchestration and waits for it. */
export function* run<T, N extends OrchestrationName>(
  context: OrchestrationContext,
  name: N,
  input: OrchestrationInputs[N],
  instanceId: string,
): Step<T> {
  return (yield context.df.callSubOrchestrator(name, input, instanceId)) as T;
}
