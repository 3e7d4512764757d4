import { describe, expect, test } from 'vitest';
import { run, valuesOf } from './support.ts';

describe('An operator of two values', () => {
  const cases: [string, string | number | boolean | null][] = [
    ['7 / 2', 3],
    ['-7 / 2', -3],
    ['7 / 2.0', 3.5],
    ['7 / 0', null],
    ['7 % 3', 1],
    ['-7 % 3', 2],
    ['1 + long(null)', null],
    ['2 * 3h', '06:00:00'],
    ['3h / 2', '01:30:00'],
    ['3h / 1h', 3],
    ['datetime(2026-01-02) - datetime(2026-01-01)', '1.00:00:00'],
    ['datetime(2026-01-02) - 1h', '2026-01-01T23:00:00Z'],
    ['now() - ago(5m) == 5m', true],
    ['"a" == "A"', false],
    ['"a" =~ "A"', true],
    ['"a" !~ "A"', false],
    ['1 == 1.0', true],
    ['dynamic("a") == "a"', true],
    ['dynamic({"a":1}).a == 1', true],
    ['1 between (1 .. 3)', true],
    ['4 between (1 .. 3)', false],
    ['4 !between (1 .. 3)', true],
    ['datetime(2026-01-02) between (datetime(2026-01-01) .. 1d)', true],
    ['"a" in ("a", "b")', true],
    ['"A" in ("a", "b")', false],
    ['"A" in~ ("a", "b")', true],
    ['"A" !in~ ("a", "b")', false],
    ['"c" !in ("a", "b")', true],
    ['403 in (401, 403)', true],
    ['"a" in (dynamic(["a","b"]))', true],
    ['"securitydomain/download" has "download"', true],
    ['"KeyDelete" has "Delete"', false],
    ['"KeyDelete" contains "delete"', true],
    ['"KeyDelete" contains_cs "delete"', false],
    ['"KeyDelete" !contains "delete"', false],
    ['"a roleAssignments/x b" has "ROLEASSIGNMENTS"', true],
    ['"a roleAssignments/x b" has_cs "roleassignments"', false],
    ['"roleassignments2" has "roleassignments"', false],
    ['"x/roleassignments/y" has "/roleassignments/"', true],
    ['"one two" !has "three"', true],
    ['"one two" hasprefix "tw"', true],
    ['"one two" hassuffix "wo"', true],
    ['"one two" has_any ("zwei", "TWO")', true],
    ['"one two" has_any (dynamic(["zwei"]))', false],
    ['"one two" has_all ("one", "two")', true],
    ['"one two" has_all ("one", "tw")', false],
    ['"KeyDelete" startswith "key"', true],
    ['"KeyDelete" startswith_cs "key"', false],
    ['"KeyDelete" !startswith "key"', false],
    ['"KeyDelete" endswith "DELETE"', true],
    ['"KeyDelete" matches regex "^Key(Delete|Purge)$"', true],
    ['"KeyDelete" matches regex "^key"', false],
    ['"KeyDelete" matches regex "(?i)^key"', true],
  ];
  const values = valuesOf(cases.map(([expression]) => expression));

  test.each(cases)('%s', (expression, expected) => {
    expect(values.get(expression)).toEqual(expected);
  });
});

describe('Null', () => {
  // The table of https://learn.microsoft.com/kusto/query/scalar-data-types/null-values, and three-valued logic.
  const cases: [string, boolean | null][] = [
    ['int(null) == int(null)', null],
    ['int(null) == 5', false],
    ['int(null) != int(null)', null],
    ['int(null) != 5', true],
    ['int(null) > 3', null],
    ['int(null) > 3 or isnull(int(null))', true],
    ['bool(null) and false', false],
    ['bool(null) and true', null],
    ['bool(null) or true', true],
    ['bool(null) or false', null],
    ['false and bool(null)', false],
    ['true or bool(null)', true],
  ];
  const values = valuesOf(cases.map(([expression]) => expression));

  test.each(cases)('%s', (expression, expected) => {
    expect(values.get(expression)).toEqual(expected);
  });

  test('drops a row in where, whether the condition or its denial is asked', () => {
    const rows = 'datatable(v:int, s:string)[5, "a", int(null), "b"]';
    expect(run(`${rows} | where v > 3`).rows).toEqual([[5, 'a']]);
    expect(run(`${rows} | where not(v > 3)`).rows).toEqual([]);
    expect(run(`${rows} | where v != 5`).rows).toEqual([[null, 'b']]);
  });

  test('is no text: a text is empty instead', () => {
    const rows = 'datatable(v:int)[1] | join kind=leftouter (datatable(v:int, s:string)[2, "x"]) on v';
    expect(run(`${rows} | project s, v1, isempty(s), isnull(s)`).rows).toEqual([['', null, true, false]]);
  });
});
