import type { OrchestrationContext } from 'durable-functions';

/** What an orchestrator asked for, in our words. */
export type Asked =
  | { kind: 'activity'; name: string; input: unknown }
  | { kind: 'sub'; name: string; input: unknown; instanceId: string | undefined }
  | { kind: 'timer'; at: string }
  | { kind: 'event'; name: string }
  /** Waits for whichever of them is first; answered with its index. */
  | { kind: 'any'; name: 'any'; of: Asked[] };

/** An answer, or a throw: what a retry policy that is spent looks like from inside. */
export type Told = { result: unknown } | { throws: string };

export interface Replayed {
  asked: Asked[];
  outcome: { kind: 'returned'; value: unknown } | { kind: 'threw'; message: string };
  /** Custom statuses in order, repeats dropped. */
  phases: string[];
  /** The input of the run that follows, when the orchestrator goes on as a new one. */
  goesOnWith?: unknown;
}

/**
 * Drives an orchestrator by hand and then replays it with the same answers: it must ask the same things again, in the same
 * order, as the durable engine demands. Time stands at `now` and moves only when a timer is awaited.
 */
export function replay(
  orchestrator: (context: OrchestrationContext) => Generator<unknown, unknown, unknown>,
  options: { input: unknown; instanceId?: string; now?: string; answer: (asked: Asked, turn: number) => Told },
): Replayed {
  const told: Told[] = [];
  const first = drive(orchestrator, options, (asked, turn) => {
    const answer = options.answer(asked, turn);
    told.push(answer);
    return answer;
  });
  const again = drive(orchestrator, options, (_, turn) => {
    const answer = told[turn];
    if (!answer) throw new Error('the replay asked for more than the first run');
    return answer;
  });
  if (JSON.stringify(first) !== JSON.stringify(again)) {
    throw new Error(`the replay differs:\n${JSON.stringify(first, null, 1)}\n${JSON.stringify(again, null, 1)}`);
  }
  return first;
}

/** Drives an orchestrator as `replay` does, and keeps what was asked and answered. */
export function record(
  orchestration: string,
  orchestrator: (context: OrchestrationContext) => Generator<unknown, unknown, unknown>,
  options: { input: unknown; instanceId: string; now: string; answer: (asked: Asked, turn: number) => Told },
): RecordedHistory {
  const turns: RecordedHistory['turns'] = [];
  const answer = (asked: Asked, turn: number): Told => {
    const told = options.answer(asked, turn);
    turns.push({ asked, told });
    return told;
  };
  const { outcome } = replay(orchestrator, { ...options, answer });
  const { input, instanceId, now: startedOn } = options;
  return { orchestration, instanceId, startedOn, input, turns, outcome };
}

/** A history as recorded under test/histories: the input, and each question with its answer. */
export interface RecordedHistory {
  orchestration: string;
  instanceId: string;
  startedOn: string;
  input: unknown;
  turns: { asked: Asked; told: Told }[];
  outcome: Replayed['outcome'];
}

function drive(
  orchestrator: (context: OrchestrationContext) => Generator<unknown, unknown, unknown>,
  {
    input,
    instanceId = 'instance-1',
    now = '2030-01-01T00:00:00.000Z',
  }: { input: unknown; instanceId?: string; now?: string },
  answer: (asked: Asked, turn: number) => Told,
): Replayed {
  let time = new Date(now);
  let guids = 0;
  const phases: string[] = [];
  let goesOn: { goesOnWith?: unknown } = {};
  const context = {
    df: {
      instanceId,
      get currentUtcDateTime() {
        return new Date(time);
      },
      isReplaying: false,
      getInput: () => structuredClone(input),
      setCustomStatus: (status: string) => phases.at(-1) === status || phases.push(status),
      newGuid: () => `00000000-0000-5000-8000-${String(guids++).padStart(12, '0')}`,
      callActivity: (name: string, activityInput: unknown): Asked => ({ kind: 'activity', name, input: activityInput }),
      callActivityWithRetry: (name: string, _: unknown, activityInput: unknown): Asked => ({
        kind: 'activity',
        name,
        input: activityInput,
      }),
      callSubOrchestrator: (name: string, subInput: unknown, id?: string): Asked => ({
        kind: 'sub',
        name,
        input: subInput,
        instanceId: id,
      }),
      continueAsNew: (next: unknown) => {
        goesOn = { goesOnWith: structuredClone(next) };
      },
      createTimer: (at: Date) => ({ kind: 'timer', at: at.toISOString(), cancel: () => undefined }),
      waitForExternalEvent: (name: string): Asked => ({ kind: 'event', name }),
      Task: { any: (of: Asked[]): Asked => ({ kind: 'any', name: 'any', of }) },
    },
    log: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
  } as unknown as OrchestrationContext;

  const asked: Asked[] = [];
  const run = orchestrator(context);
  let step: IteratorResult<unknown, unknown>;
  try {
    step = run.next();
    while (!step.done) {
      const question = JSON.parse(JSON.stringify(step.value)) as Asked;
      asked.push(question);
      if (question.kind === 'timer' && Date.parse(question.at) > time.getTime()) time = new Date(question.at);
      const told = answer(question, asked.length - 1);
      if (question.kind === 'any' && 'result' in told) {
        // The winner is the very task that was waited for: orchestrators compare it by identity.
        const winner = (step.value as { of: Asked[] }).of[told.result as number];
        if (winner?.kind === 'timer' && Date.parse(winner.at) > time.getTime()) time = new Date(winner.at);
        step = run.next(winner);
        continue;
      }
      step = 'throws' in told ? run.throw(new Error(told.throws)) : run.next(structuredClone(told.result));
    }
    return { asked, outcome: { kind: 'returned', value: step.value }, phases, ...goesOn };
  } catch (error) {
    return {
      asked,
      outcome: { kind: 'threw', message: error instanceof Error ? error.message : String(error) },
      phases,
    };
  }
}
