import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lookedAgain, type Seen, stoodAt } from '../../../shared/detection/seen.ts';

const at = (minutes: number) => new Date(Date.parse('2030-01-01T00:00:00Z') + minutes * 60_000).toISOString();
const look = (values: readonly string[], minutes = 5) =>
  values.reduce<Seen<string>[]>((history, value, index) => lookedAgain(history, value, at(index * minutes)), []);

describe('what is looked at again and again', () => {
  test('is one state while it stays, and another when it changes', () => {
    expect(look(['a', 'a', 'a', 'b', 'a'])).toEqual([
      { from: at(0), until: at(10), value: 'a' },
      { from: at(15), until: at(15), value: 'b' },
      { from: at(20), until: at(20), value: 'a' },
    ]);
  });

  test.each([
    [-1, undefined],
    [0, 'a'],
    [12, 'a'],
    [15, 'b'],
    [999, 'a'],
  ])('%i minutes on stood %s', (minutes, value) => {
    expect(stoodAt(look(['a', 'a', 'a', 'b', 'a']), at(minutes))?.value).toBe(value);
  });

  test('changing to and fro does not push out what stood before', () => {
    const long = lookedAgain(look(['approved']), 'approved', at(10_000));
    let history = long;
    for (let change = 0; change < 500; change++) {
      history = lookedAgain(history, `c${change}`, at(10_005 + change * 5));
    }
    expect(history.length).toBeLessThanOrEqual(40);
    expect(history[0]).toEqual(long[0]);
    expect(history.at(-1)?.value).toBe('c499');
  });

  test('stays in order and bounded, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 200 }), (values) => {
        const history = look(values);
        expect(history.length).toBeLessThanOrEqual(40);
        expect(history.map(({ from }) => from)).toEqual(history.map(({ from }) => from).toSorted());
        expect(history.at(-1)?.value).toBe(values.at(-1));
      }),
      { numRuns: 100 },
    );
  });
});
