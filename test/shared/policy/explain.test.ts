import { describe, expect, test } from 'vitest';
import { explainField } from '../../../shared/policy/explain.ts';

const explained = (value: unknown) => explainField('a.b', value, 'policy').map((row) => [row.field, row.value]);

describe('an explained field', () => {
  test.each<[string, unknown, string[][]]>([
    ['that nobody set is none', undefined, [['a.b', 'none']]],
    ['of plain words is one row', ['one', 'two'], [['a.b', 'one, two']]],
    ['that is empty is none', [], [['a.b', 'none']]],
    ['quotes a word that reads as two', ['Azure Storage', 'a,b'], [['a.b', '"Azure Storage", "a,b"']]],
    ['shows the members of an object', { every: 'P1D', at: '02:00' }, [['a.b', 'every P1D, at 02:00']]],
    [
      'of objects is a row each',
      [
        { oid: '1', name: 'Storage, west', kind: 'storage' },
        { oid: '2', name: 'Batch', kind: 'batch' },
      ],
      [
        ['a.b[0]', 'oid 1, name "Storage, west", kind storage'],
        ['a.b[1]', 'oid 2, name Batch, kind batch'],
      ],
    ],
    [
      'puts what is nested in brackets',
      [{ days: ['Sat', 'Sun'], opens: '22:00' }],
      [['a.b[0]', 'days [Sat, Sun], opens 22:00']],
    ],
  ])('%s', (_title, value, rows) => {
    expect(explained(value)).toEqual(rows);
  });

  test('leaves no two lists with the same rows', () => {
    const one = explained([{ why: 'x, until y' }]);
    const other = explained([{ why: 'x', until: 'y' }]);
    expect(one).not.toEqual(other);
  });
});
