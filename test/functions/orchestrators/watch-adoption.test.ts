import { describe, expect, test } from 'vitest';
import { watchAdoption } from '../../../functions/orchestrators/watch-adoption.ts';
import { answers, names } from '../../support/answers.ts';
import { replay } from '../../support/replay.ts';

const key = { hsm: 'contoso', name: 'orders' };
const found = { key, version: 'v', at: 'now', callers: 2, due: { id: 'adopted-x', notice: {}, repeatAfter: 'P365D' } };
const run = (looked: object, overrides: Parameters<typeof answers>[0] = {}) =>
  replay(watchAdoption, {
    input: { hsm: 'contoso' },
    answer: answers({
      lookAtAdoption: () => ({ result: looked }),
      recordAdoption: () => ({ result: { kind: 'recorded' } }),
      ...overrides,
    }),
  });

describe('watchAdoption', () => {
  test('tells and publishes, and records last, so that a kill tells again and loses nothing', () => {
    const { asked } = run({ kind: 'looked', checked: 1, adopted: [found] });
    expect(names(asked)).toEqual(['lookAtAdoption', 'deliverNotification', 'publishKeyFact', 'recordAdoption']);
    expect(asked[2]).toMatchObject({ input: { type: 'KeyVersionAdopted', version: 'v', detail: { callers: 2 } } });
  });

  test('goes on with the next keys as a run of its own', () => {
    const { goesOnWith } = run({ kind: 'looked', checked: 25, adopted: [], after: 'rotations/contoso/m.json' });
    expect(goesOnWith).toEqual({ hsm: 'contoso', after: 'rotations/contoso/m.json' });
  });

  test('ends at once where there are no logs', () => {
    expect(run({ kind: 'off' }).outcome).toEqual({ kind: 'returned', value: { kind: 'off' } });
  });
});
