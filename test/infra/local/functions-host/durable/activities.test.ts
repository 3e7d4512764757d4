import { describe, expect, test } from 'vitest';
import {
  activityData,
  createActivityRunner,
  resultText,
} from '../../../../../infra/local/functions-host/durable/activities.ts';
import type { Chaos } from '../../../../../infra/local/functions-host/durable/chaos.ts';
import type { HistoryEvent } from '../../../../../infra/local/functions-host/durable/history.ts';

describe('an activity under chaos', () => {
  const runAll = async (chaos: Chaos, count: number) => {
    const calls: number[] = [];
    const completions: HistoryEvent[] = [];
    await new Promise<void>((resolve) => {
      let chance = 0;
      const runner = createActivityRunner({
        invoke: async (_, trigger) => {
          calls.push(Number(trigger.data.string));
          return { returnValue: trigger.data, result: undefined };
        },
        maxConcurrent: 100,
        chaos,
        // A cycle of chances, so that neighbours differ.
        random: () => {
          chance = (chance + 7) % 10;
          return chance / 10;
        },
        now: () => new Date(0),
        completed: (_, completion) => {
          completions.push(completion);
          if (completions.length === count) resolve();
        },
      });
      for (let taskId = 0; taskId < count; taskId++)
        runner.run({ instanceId: 'i', executionId: 'e', taskId, name: 'a', input: `[${taskId}]` });
    });
    return { calls, ids: completions.map((completion) => completion.TaskScheduledId) };
  };

  test('may run twice, and is recorded once', async () => {
    const { calls, ids } = await runAll({ activityTwice: 1 }, 5);
    expect(calls.toSorted()).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    expect(ids.toSorted()).toEqual([0, 1, 2, 3, 4]);
  });

  test('may be overtaken', async () => {
    const { ids } = await runAll({ reorder: true }, 10);
    expect(ids).not.toEqual([...ids].toSorted());
    expect(ids.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

test.each([
  ['["text"]', { string: 'text' }],
  ['[{"a":1}]', { string: '{"a":1}' }],
  ['[false]', { string: 'False' }],
  ['[7]', { string: '7' }],
  ['[null]', {}],
  ['[]', {}],
])('the framework input %s reaches the worker as %j', (input, data) => {
  expect(activityData(input)).toEqual(data);
});

test.each([
  [{ json: '{"a":1}' }, '{"a":1}'],
  [{ string: '5' }, '"5"'],
  [{ int: 0 }, '0'],
  [{ double: 1.5 }, '1.5'],
  [{ bytes: Buffer.from('x') }, '"eA=="'],
  [null, 'null'],
  [{}, 'null'],
])('a returned %j is recorded as %s', (data, text) => {
  expect(resultText(data)).toBe(text);
});
