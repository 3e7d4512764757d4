import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Action, ActionType } from '../../../../../infra/local/functions-host/durable/actions.ts';
import { EventType, event, type HistoryEvent } from '../../../../../infra/local/functions-host/durable/history.ts';
import {
  NonDeterministicError,
  type Replay,
  replay,
  UnsupportedActionError,
} from '../../../../../infra/local/functions-host/durable/replay.ts';

const DAY = 86_400_000;
const start = new Date('2030-01-01T00:00:00Z');
const instant = (ms: number) => new Date(start.getTime() + ms);

const call = (functionName: string): Action => ({ actionType: ActionType.CallActivity, functionName, input: { a: 1 } });
const retried = (functionName: string, maxNumberOfAttempts: number): Action => ({
  actionType: ActionType.CallActivityWithRetry,
  functionName,
  retryOptions: { firstRetryIntervalInMilliseconds: 1_000, maxNumberOfAttempts, backoffCoefficient: 2 },
});
const timer = (ms: number, isCanceled = false): Action => ({
  actionType: ActionType.CreateTimer,
  fireAt: instant(ms).toISOString(),
  isCanceled,
});
const wait = (externalEventName: string): Action => ({
  actionType: ActionType.WaitForExternalEvent,
  externalEventName,
});
const all = (...compoundActions: Action[]): Action => ({ actionType: ActionType.WhenAll, compoundActions });
const any = (...compoundActions: Action[]): Action => ({ actionType: ActionType.WhenAny, compoundActions });

const begun = [event(EventType.OrchestratorStarted, start), event(EventType.ExecutionStarted, start, { Name: 'o' })];
const turn = (ms: number) => event(EventType.OrchestratorStarted, instant(ms));
const done = (TaskScheduledId: number) => event(EventType.TaskCompleted, start, { TaskScheduledId, Result: 'null' });
const failed = (TaskScheduledId: number) =>
  event(EventType.TaskFailed, start, { TaskScheduledId, Reason: 'r', Details: 'd' });
const fired = (TimerId: number) => event(EventType.TimerFired, start, { TimerId });
const raised = (Name: string) => event(EventType.EventRaised, start, { Name, Input: '1' });

const kinds = (walked: Replay) => walked.scheduled.map((task) => ('name' in task ? task.name : task.kind));

describe('task ids', () => {
  test('go to children from left to right, and none to waits', () => {
    const walked = replay([any(all(call('a'), call('b')), wait('E'), timer(1_000))], begun);
    expect(kinds(walked)).toEqual(['a', 'b', 'timer']);
    expect(walked.open).toEqual(new Set([0, 1, 2]));
  });

  test('of a later action wait until the one before is over', () => {
    expect(kinds(replay([call('a'), call('b')], begun))).toEqual(['a']);
    expect(kinds(replay([call('a'), call('b')], [...begun, done(0)]))).toEqual(['a', 'b']);
  });

  test('of retries are taken by a timer and the next attempt, with back-off, and by one timer after the last', () => {
    const history = [...begun, failed(0), fired(1), failed(2), fired(3), failed(4)];
    const walked = replay([retried('a', 3), call('b')], history);
    expect(kinds(walked)).toEqual(['a', 'timer', 'a', 'timer', 'a', 'timer']);
    expect(walked.scheduled.flatMap((task) => (task.kind === 'timer' ? [task.fireAt] : []))).toEqual([
      instant(1_000).toISOString(),
      instant(2_000).toISOString(),
      start.toISOString(),
    ]);
    expect(kinds(replay([retried('a', 3), call('b')], [...history, fired(5)])).at(-1)).toBe('b');
  });

  test('of a long timer come one by one, three days apart', () => {
    const history = [...begun, turn(3 * DAY), fired(0), turn(6 * DAY), fired(1)];
    const walked = replay([timer(10 * DAY), call('a')], history);
    expect(walked.scheduled.map((task) => 'fireAt' in task && task.fireAt)).toEqual([
      instant(3 * DAY).toISOString(),
      instant(6 * DAY).toISOString(),
      instant(10 * DAY).toISOString(),
    ]);
    expect(kinds(replay([timer(10 * DAY), call('a')], [...history, turn(10 * DAY), fired(2)])).at(-1)).toBe('a');
  });
});

describe('compound actions', () => {
  test('WhenAll waits for every child even after a failure; the library does not', () => {
    const actions = [all(call('a'), call('b')), call('c')];
    expect(kinds(replay(actions, [...begun, failed(0)]))).toEqual(['a', 'b']);
    expect(kinds(replay(actions, [...begun, failed(0)], undefined, true))).toEqual(['a', 'b', 'c']);
    expect(kinds(replay(actions, [...begun, failed(0), done(1)]))).toEqual(['a', 'b', 'c']);
  });

  test('WhenAny moves on at the first, and a cancelled loser holds nothing open', () => {
    const history = [...begun, raised('e')];
    expect(replay([any(wait('E'), timer(1_000))], history)).toMatchObject({ finished: true, open: new Set([0]) });
    expect(replay([any(wait('E'), timer(1_000, true))], history)).toMatchObject({ finished: true, open: new Set() });
  });

  test('an event goes to the latest waiter, and one that came early is kept', () => {
    const actions = [any(wait('E'), call('a')), wait('E'), call('b')];
    expect(replay(actions, [...begun, done(0), raised('E')]).finished).toBe(false);
    expect(kinds(replay(actions, [...begun, done(0), raised('E')]))).toEqual(['a', 'b']);
    expect(kinds(replay([call('a'), wait('E'), call('b')], [...begun, raised('E'), done(0)]))).toEqual(['a', 'b']);
  });
});

describe('a history that the actions cannot have made', () => {
  const scheduled = (EventId: number, Name: string): HistoryEvent => ({
    ...event(EventType.TaskScheduled, start, { Name }),
    EventId,
  });

  test.each([
    ['another name', [call('b')], "TaskScheduled 'a' with id 0, but on replay the orchestrator asked for activity 'b'"],
    ['another kind', [timer(1)], "TaskScheduled 'a' with id 0, but on replay the orchestrator asked for a timer"],
    ['nothing', [], "TaskScheduled 'a' with id 0, but on replay the orchestrator asked for nothing there"],
  ])('is named: %s', (_, actions, text) => {
    const run = () => replay(actions, [...begun, scheduled(0, 'a')]);
    expect(run).toThrow(NonDeterministicError);
    expect(run).toThrow(text);
  });

  test('and so is what the engine leaves out', () => {
    expect(() => replay([{ actionType: ActionType.LockEntities }], begun)).toThrow(UnsupportedActionError);
  });
});

describe('laws', () => {
  const leaf = fc.oneof(
    fc.constantFrom('a', 'b').map(call),
    fc.integer({ min: 1, max: 3 }).map((attempts) => retried('r', attempts)),
    fc.integer({ min: 1, max: 12 }).map((days) => timer(days * DAY)),
    fc.constant(wait('E')),
  );
  const { action } = fc.letrec<{ action: Action }>((tie) => ({
    action: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      leaf,
      fc.array(tie('action'), { minLength: 1, maxLength: 4 }).map((children) => all(...children)),
      fc.array(tie('action'), { minLength: 1, maxLength: 4 }).map((children) => any(...children)),
    ),
  }));

  /** Answers open tasks in an arbitrary order until none is left, and checks each step against the one before. */
  test('what is scheduled never changes as the history grows, and answering all open tasks ends the walk', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 1, maxLength: 5 }), fc.infiniteStream(fc.nat()), (actions, choices) => {
        const history = [...begun];
        let walked = replay(actions, history);
        for (let step = 1; step < 400; step++) {
          const open = [...walked.open];
          const choice = choices.next().value;
          const id = open[choice % Math.max(open.length, 1)];
          history.push(turn(step * DAY));
          if (id === undefined) history.push(raised('E'));
          else if (walked.scheduled[id]?.kind === 'timer') history.push(fired(id));
          else history.push(choice % 3 === 0 ? failed(id) : done(id));
          const next = replay(actions, history);
          expect(next.scheduled.slice(0, walked.scheduled.length)).toEqual(walked.scheduled);
          walked = next;
          if (walked.finished && walked.open.size === 0) return;
        }
        expect.unreachable('the walk did not end');
      }),
      { numRuns: 150 },
    );
  });
});
