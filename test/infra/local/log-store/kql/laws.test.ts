import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatDatetime,
  formatTimespan,
  parseDatetime,
  parseTimespan,
} from '../../../../../infra/local/log-store/kql/time.ts';
import { run, tableOf } from './support.ts';

const row = fc.tuple(
  fc.constantFrom('a', 'b', 'A', ''),
  fc.option(fc.integer({ min: -5, max: 5 })),
  fc.option(fc.double({ min: -100, max: 100, noNaN: true })),
  fc.option(fc.array(fc.constantFrom('x', 'y'), { maxLength: 3 })),
);
const world = fc.array(row, { maxLength: 30 });
type World = typeof world extends fc.Arbitrary<infer Value> ? Value : never;

/** The parser knows the schema already, so only the query's own text is read again. */
const ask = (rows: World, query: string) => {
  const table = tableOf(
    'T',
    [
      ['s', 'string'],
      ['n', 'long'],
      ['r', 'real'],
      ['d', 'dynamic'],
    ],
    rows,
  );
  return run(query, [table]).rows;
};
const conditions = [
  'n > 1',
  's == "a"',
  's =~ "a"',
  'isnull(r)',
  'not(n > 1)',
  'n == 2 or r > 0.0',
  's in ("a", "b")',
  'n != 3',
];
const condition = fc.constantFrom(...conditions);
const law = (property: (rows: World, one: string, other: string) => void) =>
  fc.assert(fc.property(world, condition, condition, property), { numRuns: 12 });

describe('The laws of the language', () => {
  test('where and extend commute', () => {
    law((rows, one) => {
      const first = ask(rows, `T | where ${one} | extend x = n * 2, y = strcat(s, "!")`);
      expect(ask(rows, `T | extend x = n * 2, y = strcat(s, "!") | where ${one}`)).toEqual(first);
    });
  });

  test('two filters are one, in any order', () => {
    law((rows, one, other) => {
      const both = ask(rows, `T | where (${one}) and (${other})`);
      expect(ask(rows, `T | where ${one} | where ${other}`)).toEqual(both);
      expect(ask(rows, `T | where ${other} | where ${one}`)).toEqual(both);
    });
  });

  test('a condition, its denial and the unknown share out all rows', () => {
    law((rows, one) => {
      const parts = [`${one}`, `not(${one})`, `isnull(${one})`].map((each) => ask(rows, `T | where ${each}`).length);
      expect(parts.reduce((sum, each) => sum + each, 0)).toBe(rows.length);
    });
  });

  test('the groups of summarize count all rows, as count does', () => {
    law((rows, one) => {
      const groups = ask(rows, `T | where ${one} | summarize c = count() by s, n`);
      const total = ask(rows, `T | where ${one} | count`)[0]?.[0];
      expect(groups.reduce((sum, each) => sum + Number(each[2]), 0)).toBe(total);
      expect(ask(rows, `T | summarize countif(${one})`)).toEqual([[total]]);
    });
  });

  test('distinct is summarize by, and dcount counts it', () => {
    law((rows) => {
      expect(ask(rows, 'T | distinct s, n')).toEqual(ask(rows, 'T | summarize by s, n'));
      expect(ask(rows, 'T | summarize dcount(s)')).toEqual(ask(rows, 'T | distinct s | count'));
    });
  });

  test('top is sort and take, and sorting twice changes nothing', () => {
    law((rows) => {
      expect(ask(rows, 'T | top 5 by n')).toEqual(ask(rows, 'T | sort by n | take 5'));
      expect(ask(rows, 'T | sort by r asc | sort by r asc')).toEqual(ask(rows, 'T | sort by r asc'));
    });
  });

  test('semi-join and anti-join share out the left side', () => {
    law((rows, one) => {
      const right = `(T | where ${one} | project s)`;
      const halves = ['leftsemi', 'leftanti'].map((kind) => ask(rows, `T | join kind=${kind} ${right} on s`).length);
      expect(halves.reduce((sum, each) => sum + each, 0)).toBe(rows.length);
    });
  });

  test('a union has the rows of its parts', () => {
    law((rows, one, other) => {
      const [first, second] = [`T | where ${one}`, `T | where ${other}`];
      const parts = ask(rows, first).length + ask(rows, second).length;
      expect(ask(rows, `union (${first}), (${second}) | count`)).toEqual([[parts]]);
    });
  });

  test('mv-expand gives one row for each element, and one for none', () => {
    law((rows) => {
      const expected = rows.reduce((sum, each) => sum + (each[3] === null ? 1 : each[3].length), 0);
      expect(ask(rows, 'T | mv-expand d | count')).toEqual([[expected]]);
    });
  });
});

describe('Instants and spans', () => {
  const instant = fc.date({ min: new Date('1995-01-01'), max: new Date('2045-01-01'), noInvalidDate: true });
  test('are read as they are written, to the tick', () => {
    fc.assert(
      fc.property(instant, fc.integer({ min: 0, max: 9999 }), (date, fraction) => {
        const text = date.toISOString().replace('Z', `${String(fraction).padStart(4, '0')}Z`);
        expect(formatDatetime(parseDatetime(text) ?? 0, 'full')).toBe(text);
      }),
    );
  });

  test('and spans too', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e15, max: 1e15 }), (ticks) => {
        expect(parseTimespan(formatTimespan(ticks))).toBe(ticks === 0 ? 0 : ticks);
      }),
    );
  });
});
