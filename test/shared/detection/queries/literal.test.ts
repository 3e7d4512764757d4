import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { literal } from '../../../../shared/detection/queries/literal.ts';
import { faultsOfQuery } from '../../../support/kql.ts';

const asked = (value: string) => `let name = ${literal(value)};\nAzureActivity | where Caller == name | count`;

describe('a text as a literal', () => {
  test('says the same text again, whatever it is made of, and ends nowhere but at its end', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (value) => {
        const written = literal(value);
        expect(written).toMatch(/^"(?:[^"\\\p{Cc}]|\\["\\]|\\u[0-9a-f]{4})*"$/u);
        expect(written).toMatch(/^[\x20-\x7e]*$/);
        expect(JSON.parse(written)).toBe(value);
      }),
    );
  });

  test.each([
    'x"; AzureActivity | take 1 //',
    'x\\"; externaldata (a: string) [ "https://evil.example" ]',
    "x' or 1 == 1 or Caller == '",
    'x\n| union AzureDiagnostics',
    'x```; evaluate python()',
    '\u2028 // \u0000 \ud800',
    '@"x"h"y"',
  ])('keeps %j within its quotes', (value) => {
    expect(faultsOfQuery(asked(value))).toEqual([]);
    expect(asked(value).split('\n')).toHaveLength(2);
  });
});

describe('other values', () => {
  test('are written with their type', () => {
    expect(literal(new Date('2026-11-22T06:00:00+01:00'))).toBe('datetime(2026-11-22T05:00:00.000Z)');
    expect(literal(500)).toBe('long(500)');
    expect(literal({ seconds: 600 })).toBe('time(600s)');
  });

  test('are instants by name, whose names end nowhere but at their end', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 30 })), (names) => {
        const at = new Date('2026-11-22T05:00:00.000Z');
        const written = literal(new Map(names.map((name) => [name, at])));
        expect(written).toMatch(/^dynamic\(\{[\x20-\x7e]*\}\)$/);
        const read: [string, unknown][] = Object.entries(JSON.parse(written.slice('dynamic('.length, -1)));
        expect(new Map(read)).toEqual(new Map(names.map((name) => [name, at.toISOString()])));
      }),
    );
    expect(() => literal(new Map([['orders', new Date('soon')]]))).toThrow(RangeError);
  });

  test.each([new Date('soon'), Number.NaN, 1.5, Number.POSITIVE_INFINITY, { seconds: 0 }])(
    'that say nothing are refused: %s',
    (value) => {
      expect(() => literal(value)).toThrow(RangeError);
    },
  );
});
