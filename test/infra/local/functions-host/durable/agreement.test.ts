import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as df from 'durable-functions';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClock } from '../../../../../infra/local/clock.ts';
import { createEngine, type Engine } from '../../../../../infra/local/functions-host/durable/engine.ts';
import { createManagement, type Management } from '../../../../../infra/local/functions-host/durable/management.ts';
import { isFinal } from '../../../../../infra/local/functions-host/durable/state.ts';
import { openStore } from '../../../../../infra/local/functions-host/durable/store.ts';

/** What a generated orchestration does; a tag comes back as the result of whatever carries it. */
type Step =
  | { kind: 'call'; tag: number; fails: boolean; delayMs: number }
  | { kind: 'retry'; tag: number; failures: number; attempts: number; delayMs: number }
  | { kind: 'timer'; delayMs: number }
  | { kind: 'child'; tag: number }
  | { kind: 'all'; steps: Step[] }
  | { kind: 'any'; steps: Step[] };

interface Call {
  tag: number;
  failures: number;
  delayMs: number;
  key: string;
}

type Handler = (trigger: unknown, context: object) => Promise<unknown>;
const { Orchestrator } = createRequire(import.meta.url)('durable-functions/lib/src/orchestrations/Orchestrator') as {
  Orchestrator: new (generator: unknown) => { listen(): Handler };
};

let folder: string;
let engine: Engine;
let management: Management;
const programs = new Map<string, Step[]>();
const attempts = new Map<string, number>();
const faults: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'agreement-'));
  engine = createEngine({
    store: openStore(join(folder, 'hub.jsonl')),
    clock: createClock(Date.now),
    functions: { orchestrators: ['program', 'child'], activities: ['work'], entities: [] },
    maxConcurrentActivities: 20,
    maxConcurrentOrchestrators: 20,
    chaos: { reorder: true, delayCompletionsMs: 5 },
    log: (_, message) => void faults.push(message),
    invoke: async (name, trigger) => {
      const input: unknown = trigger.data.string === undefined ? undefined : JSON.parse(trigger.data.string);
      const result =
        name === 'work' ? await work(input as Call) : await orchestrators[name]?.(input, { df: undefined });
      return { returnValue: { json: JSON.stringify(result) }, result };
    },
  });
  management = createManagement(engine);
});

afterAll(() => {
  engine.stop();
  rmSync(folder, { recursive: true });
});

async function work({ tag, failures, delayMs, key }: Call): Promise<{ tag: number }> {
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  const call = (attempts.get(`${key}-${tag}`) ?? 0) + 1;
  attempts.set(`${key}-${tag}`, call);
  if (call <= failures) throw new Error(`tag ${tag}`);
  return { tag };
}

const orchestrators: Record<string, Handler> = {
  program: new Orchestrator(program).listen(),
  child: new Orchestrator(function* (context: df.OrchestrationContext): Generator<df.Task, unknown, unknown> {
    return yield context.df.callActivity('work', context.df.getInput());
  }).listen(),
};

/** Yields each step and checks that every answer reached the task it was meant for. */
function* program(context: df.OrchestrationContext): Generator<df.Task, string[], unknown> {
  const wrong: string[] = [];
  for (const step of programs.get(context.df.instanceId) ?? []) {
    const task = build(context, step);
    try {
      const answer = yield task;
      wrong.push(...misdelivered(step, answer));
    } catch (error) {
      if (!tags(step).some((tag) => String(error).includes(`tag ${tag}`)))
        wrong.push(`foreign error: ${String(error)}`);
    }
  }
  return wrong;
}

function build(context: df.OrchestrationContext, step: Step): df.Task {
  const key = context.df.instanceId;
  switch (step.kind) {
    case 'call':
      return context.df.callActivity('work', { ...step, key, failures: step.fails ? 99 : 0 });
    case 'retry':
      return context.df.callActivityWithRetry('work', new df.RetryOptions(1, step.attempts), { ...step, key });
    case 'timer':
      return context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + step.delayMs));
    case 'child':
      return context.df.callSubOrchestrator('child', { tag: step.tag, failures: 0, delayMs: 1, key });
    case 'all':
      return context.df.Task.all(step.steps.map((each) => build(context, each)));
    default:
      return context.df.Task.any(step.steps.map((each) => build(context, each)));
  }
}

function misdelivered(step: Step, answer: unknown): string[] {
  if (step.kind === 'all') return step.steps.flatMap((each, index) => misdelivered(each, (answer as unknown[])[index]));
  if (step.kind === 'any' || step.kind === 'timer') return [];
  const { tag } = (answer ?? {}) as { tag?: number };
  return tag === step.tag ? [] : [`${step.kind} ${step.tag} got ${JSON.stringify(answer)}`];
}

const tags = (step: Step): number[] => {
  if (step.kind === 'timer') return [];
  return step.kind === 'all' || step.kind === 'any' ? step.steps.flatMap(tags) : [step.tag];
};

const tag = fc.integer({ min: 0, max: 1e9 });
const delayMs = fc.integer({ min: 0, max: 6 });
const { step } = fc.letrec<{ step: Step }>((tie) => ({
  step: fc.oneof(
    { maxDepth: 2, depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constant('call' as const), tag, fails: fc.boolean(), delayMs }),
    fc.record({
      kind: fc.constant('retry' as const),
      tag,
      failures: fc.integer({ min: 0, max: 3 }),
      attempts: fc.integer({ min: 1, max: 3 }),
      delayMs,
    }),
    fc.record({ kind: fc.constant('timer' as const), delayMs }),
    fc.record({ kind: fc.constant('child' as const), tag }),
    fc.record({ kind: fc.constant('all' as const), steps: fc.array(tie('step'), { minLength: 1, maxLength: 4 }) }),
    fc.record({ kind: fc.constant('any' as const), steps: fc.array(tie('step'), { minLength: 1, maxLength: 4 }) }),
  ),
}));

/** The two ways in which such a program can be one that Azure would break. */
const named = /A Task\.all was abandoned|Non-Deterministic workflow detected/;

test('the library and the engine agree on every task id, or the instance fails by name; nothing hangs', async () => {
  let completed = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 8, maxLength: 8 }),
      async (batch) => {
        const ids = batch.map((steps) => {
          const id = randomUUID();
          programs.set(id, steps);
          return management.start('program', id, null);
        });
        const running = () => ids.filter((id) => !isFinal(management.find(id)?.status ?? 'Failed'));
        const deadline = Date.now() + 20_000;
        while (running().length > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
        expect(running()).toEqual([]);
        for (const id of ids) {
          const { status, output } = management.find(id) ?? {};
          if (status === 'Completed') expect(JSON.parse(output ?? '')).toEqual([]);
          else expect(output).toMatch(named);
          if (status === 'Completed') completed += 1;
        }
      },
    ),
    { numRuns: 15, endOnFailure: true },
  );
  expect(faults.filter((fault) => !named.test(fault))).toEqual([]);
  expect(completed).toBeGreaterThan(15 * 8 * 0.6);
});
