import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Child,
  ended,
  openWorkshop,
  raise,
  run,
  start,
  startHost,
  status,
  until,
  type Workshop,
} from './support.ts';

let workshop: Workshop;
let host: Child;

beforeAll(async () => {
  workshop = await openWorkshop(['durable-app']);
  host = await startHost(workshop, { app: 'durable-app' });
});

afterAll(async () => {
  await host.kill();
  workshop.dispose();
});

describe('an orchestration', () => {
  test('runs its activities in turn, with its custom status', async () => {
    const done = await run(host, 'chain', { length: 5 });
    expect(done).toMatchObject({ runtimeStatus: 'Completed', output: { value: 5 }, customStatus: { step: 4 } });
  });

  test('fans out over two hundred activities', async () => {
    expect(await run(host, 'fanOut', { length: 200 })).toMatchObject({ output: 20_100 });
  });

  test('runs no more activities at once than host.json allows', async () => {
    expect((await run(host, 'crowd', {})).output).toBe(8);
  });

  test('hands inputs to activities in the encodings of Azure', async () => {
    expect((await run(host, 'encodings', {})).output).toEqual([
      { type: 'string', value: 'text' },
      { type: 'number', value: 5 },
      { type: 'number', value: 7 },
      { type: 'string', value: 'True' },
      { type: 'undefined', value: null },
      { type: 'object', value: { a: 1 } },
      { type: 'object', value: [1, 2] },
      { type: 'undefined', value: null },
      'text',
      4.5,
    ]);
  });

  test('retries by count with back-off', async () => {
    expect((await run(host, 'retries', { key: 'ok', succeedAt: 3, attempts: 3 })).output).toEqual({ calls: 3 });
    expect((await run(host, 'parallelRetries', {})).output).toEqual({ calls: [1, 2, 3], last: 4 });
  });

  test('catches the failure after the last attempt and goes on', async () => {
    const { output } = await run(host, 'retries', { key: 'never', succeedAt: 99, attempts: 2 });
    expect(output).toMatchObject({ after: 'after' });
    expect((output as { caught: string }).caught).toContain("Activity function 'flaky' failed: call 2");
  });

  test('fails with the text of Azure', async () => {
    expect((await run(host, 'failing', {})).output).toMatch(
      /^Orchestrator function 'failing' failed: Activity function 'fail' failed: no luck/,
    );
    expect(await run(host, 'throwing', {})).toMatchObject({
      runtimeStatus: 'Failed',
      output: "Orchestrator function 'throwing' failed: boom",
    });
  });

  test('compensates only when every sibling of the failed task has ended', async () => {
    const { historyEvents = [] } = await run(host, 'lateCompensation', {});
    expect(historyEvents.map((each) => each.FunctionName)).toEqual([
      'lateCompensation',
      'fail',
      'slow',
      'addOne',
      undefined,
    ]);
  });

  test('takes nested compound tasks', async () => {
    expect((await run(host, 'nested', {})).output).toEqual({ inner: [{ value: 2 }, { value: 3 }], last: 11 });
  });

  test('calls children by given and by derived id, and catches their failure', async () => {
    const { instanceId, output } = await run(host, 'parent', {});
    const { named, unnamed, caught } = output as {
      named: Record<string, unknown>;
      unnamed: { id: string };
      caught: string;
    };
    expect(named).toEqual({ value: { text: 'a' }, id: `${instanceId}-named`, parent: instanceId });
    expect(unnamed.id).toMatch(/^[0-9a-f]{32}:1$/);
    expect(caught).toContain("Orchestrator function 'child' failed: child broke");
  });

  test('continues as new under the same id', async () => {
    expect((await run(host, 'counter', { left: 3 })).output).toBe('counted');
  });

  test('calls and signals entities', async () => {
    const done = await run(host, 'tallying', {});
    expect(done.output).toBe(6);
    const state = await host.durable(`entities/tally/${done.instanceId}`);
    expect(await state.json()).toBe(5);
  });

  test('is driven by the unmodified client over the local RPC endpoint', async () => {
    const answer = await host.fetch('/api/client/round-trip', { method: 'POST' });
    expect(await answer.json()).toEqual({
      again: expect.stringContaining('status code: 500'),
      suspended: 'Suspended',
      done: [{ n: 1 }, { n: 2 }],
      purged: { instancesDeleted: 1 },
      gone: expect.stringContaining('404'),
    });
  });
});

describe('waiting', () => {
  test('ends by an event, and the cancelled timer no longer holds the instance open', async () => {
    const id = await start(host, 'approval', { timeoutMs: 3_600_000 });
    await raise(host, id, 'Approval', { by: 'ann' });
    expect((await ended(host, id)).output).toEqual({ approved: { by: 'ann' }, after: 2 });
  });

  test('ends by the timer', async () => {
    expect((await run(host, 'approval', { timeoutMs: 20 })).output).toBe('timed out');
  });

  test('keeps an event that comes before its wait', async () => {
    const id = await start(host, 'twoEvents', {});
    await raise(host, id, 'Word', 1);
    await raise(host, id, 'Word', 2);
    expect((await ended(host, id)).output).toEqual([1, 2]);
  });

  test('never hears an event whose name is written in another case', async () => {
    const id = await start(host, 'approval', { timeoutMs: 400 });
    await raise(host, id, 'approval', {});
    // The extension takes the event as the answer, the library does not: the instance ends by its timer alone.
    expect((await ended(host, id)).output).toBe('timed out');
  });

  test('stays Running on a timer that was abandoned without cancel, until the clock passes it', async () => {
    const id = await start(host, 'abandonedTimer', {});
    await raise(host, id, 'Go', {});
    const open = await until(
      () => status(host, id),
      (each) => each.historyEvents?.some((past) => past.EventType === 'EventRaised') === true,
    );
    expect(open.runtimeStatus).toBe('Running');
    host.moveClock(120_000);
    expect((await ended(host, id)).output).toBe('went');
    host.moveClock(0);
  });

  test('sleeps for weeks in three-day pieces when the clock moves', async () => {
    const id = await start(host, 'sleep', { days: 20 });
    let offsetMs = 0;
    const fired = (each: { historyEvents?: Record<string, unknown>[] }) =>
      each.historyEvents?.filter((past) => past.EventType === 'TimerFired').length ?? 0;
    for (let piece = 1; piece <= 5; piece++) {
      offsetMs += 3 * 86_400_000 + 1_000;
      await until(
        () => status(host, id),
        (each) => each.runtimeStatus === 'Running' && fired(each) === piece - 1,
      );
      host.moveClock(offsetMs);
    }
    await until(
      () => status(host, id),
      (each) => fired(each) === 5,
    );
    host.moveClock(offsetMs + 6 * 86_400_000);
    const done = await ended(host, id);
    expect(done.output).toBe(21);
    expect(fired(done)).toBe(6);
  });
});

describe('what Azure would break, breaks here by name', () => {
  test.each([
    ['hangShape', 'CreateTimer', 'First'],
    ['drifting', 'A Task.all was abandoned', undefined],
    ['tooMuchStatus', 'must not exceed 16 KB', undefined],
    ['unknownActivity', "The function 'missing' doesn't exist, is disabled, or is not an activity function", undefined],
    ['httpCaller', 'CallHttp', undefined],
    ['retryDeadline', 'issue 629', undefined],
    ['twins', 'An Orchestration instance with the status Pending already exists', undefined],
    [
      'nonDeterministic',
      "Non-Deterministic workflow detected: the history holds TaskScheduled 'addOne' with id 0",
      undefined,
    ],
  ])('%s', async (name, text, eventName) => {
    const id = await start(host, name, {});
    if (eventName) await raise(host, id, eventName, {});
    const done = await ended(host, id);
    expect(done.runtimeStatus).toBe('Failed');
    expect(done.output).toContain(text);
  });

  test('an event that nobody awaited is lost at continue-as-new', async () => {
    const id = await start(host, 'forgetful', { round: 1 });
    await raise(host, id, 'Kept', 'early');
    await until(
      () => status(host, id),
      (each) => each.historyEvents?.some((past) => past.EventType === 'EventRaised') === true,
    );
    await raise(host, id, 'Next', {});
    await raise(host, id, 'Kept', 'late');
    expect((await ended(host, id)).output).toBe('late');
  });
});
