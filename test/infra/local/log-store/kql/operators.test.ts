import { describe, expect, test } from 'vitest';
import type { QueryResult } from '../../../../../infra/local/log-store/kql/execute.ts';
import { QueryRefusal } from '../../../../../infra/local/log-store/kql/refusal.ts';
import { parseDatetime } from '../../../../../infra/local/log-store/kql/time.ts';
import { run, tableOf } from './support.ts';

const minute = (text: string) => parseDatetime(`2026-11-22 ${text}`);
const CALLS = tableOf(
  'Calls',
  [
    ['Time', 'datetime'],
    ['Key', 'string'],
    ['Op', 'string'],
    ['Status', 'int'],
    ['Ms', 'real'],
    ['Tags', 'dynamic'],
  ],
  [
    [minute('10:00'), 'orders', 'wrap', 200, 10, ['a', 'b']],
    [minute('10:30'), 'orders', 'unwrap', 200, 20, []],
    [minute('11:00'), 'orders', 'wrap', 403, 30, null],
    [minute('11:10'), 'ledger', 'sign', 200, null, ['c']],
    [minute('11:20'), 'ledger', 'wrap', null, 40, { k: 1 }],
  ],
);
const OWNERS = tableOf(
  'Owners',
  [
    ['Key', 'string'],
    ['Owner', 'string'],
  ],
  [
    ['orders', 'ada'],
    ['orders', 'bea'],
    ['vault', 'cem'],
  ],
);
const ask = (query: string): QueryResult => run(query, [CALLS, OWNERS]);
const shown = ({ columns, rows }: QueryResult) => ({
  columns: columns.map(({ name, type }) => `${name}:${type}`).join(' '),
  rows,
});

describe('A tabular operator', () => {
  test.each<[string, string, unknown[][]]>([
    ['Calls | where Status == 403 | project Op', 'Op:string', [['wrap']]],
    [
      'Calls | take 1 | project Key, Up=toupper(Key), Status + 1',
      'Key:string Up:string Column1:long',
      [['orders', 'ORDERS', 201]],
    ],
    ['Calls | take 1 | extend Key=strlen(Key), Twice=Ms*2 | project Key, Twice', 'Key:long Twice:real', [[6, 20]]],
    ['Calls | take 1 | project-away Time, T*, Ms', 'Key:string Op:string Status:int', [['orders', 'wrap', 200]]],
    ['Calls | take 1 | project-keep Op, Key', 'Key:string Op:string', [['orders', 'wrap']]],
    ['Calls | take 1 | project Key, Op | project-rename Name=Key', 'Name:string Op:string', [['orders', 'wrap']]],
    [
      'Calls | take 1 | project Key, Op, Status | project-reorder Status, Op',
      'Status:int Op:string Key:string',
      [[200, 'wrap', 'orders']],
    ],
    [
      'Calls | distinct Key, tostring(Status == 200)',
      'Key:string Column1:string',
      [
        ['orders', 'True'],
        ['orders', 'False'],
        ['ledger', 'True'],
        ['ledger', 'False'],
      ],
    ],
    ['Calls | project Key | distinct *', 'Key:string', [['orders'], ['ledger']]],
    ['Calls | count', 'Count:long', [[5]]],
    ['Calls | top 2 by Ms | project Ms', 'Ms:real', [[40], [30]]],
    ['Calls | top 2 by Ms asc nulls last | project Ms', 'Ms:real', [[10], [20]]],
    ['Calls | sort by Ms asc | project Ms', 'Ms:real', [[null], [10], [20], [30], [40]]],
    ['Calls | sort by Ms | project Ms', 'Ms:real', [[40], [30], [20], [10], [null]]],
    [
      'Calls | order by Key asc, Ms desc nulls first | project Key, Ms',
      'Key:string Ms:real',
      [
        ['ledger', null],
        ['ledger', 40],
        ['orders', 30],
        ['orders', 20],
        ['orders', 10],
      ],
    ],
    ['Calls | limit 2 | project Op', 'Op:string', [['wrap'], ['unwrap']]],
    ['Calls | take 1 | project Key | as T | render table', 'Key:string', [['orders']]],
    ['range x from 1 to 5 step 2', 'x:long', [[1], [3], [5]]],
    ['range t from datetime(2026-01-01) to datetime(2026-01-02) step 12h | count', 'Count:long', [[3]]],
    ['print a=1, "b"', 'a:long print_1:string', [[1, 'b']]],
    [
      'Calls | mv-expand Tags | project Key, Tags',
      'Key:string Tags:dynamic',
      [
        ['orders', 'a'],
        ['orders', 'b'],
        ['orders', null],
        ['ledger', 'c'],
        ['ledger', '{"k":1}'],
      ],
    ],
    [
      'Calls | where Key == "orders" | mv-expand Tag = Tags to typeof(string) limit 1 | project Tag',
      'Tag:string',
      [['a'], ['']],
    ],
    [
      'print a=dynamic([1,2]), b=dynamic(["x"]) | mv-expand with_itemindex=i a, b | project i, a, b',
      'i:long a:dynamic b:dynamic',
      [
        [0, '1', 'x'],
        [1, '2', null],
      ],
    ],
    ['print a=dynamic({"p":{"q":[1,2]}}) | mv-expand a.p.q | project a_p_q', 'a_p_q:dynamic', [['1'], ['2']]],
    ['print d=dynamic({"a":1,"b":2}) | mv-expand kind=array d | project tostring(d[0])', 'd_0:string', [['a'], ['b']]],
  ])('%s', (query, columns, rows) => {
    const result = shown(ask(query));
    expect(result.rows).toEqual(rows);
    expect(result.columns).toBe(columns);
  });
});

describe('summarize', () => {
  test.each<[string, string, unknown[][]]>([
    [
      'count(), countif(Status == 200) by Key',
      'Key:string count_:long countif_:long',
      [
        ['orders', 3, 2],
        ['ledger', 2, 1],
      ],
    ],
    ['sum(Ms), avg(Ms), min(Ms), max(Ms)', 'sum_Ms:real avg_Ms:real min_Ms:real max_Ms:real', [[100, 25, 10, 40]]],
    ['sumif(Ms, Op == "wrap"), avgif(Ms, Op == "wrap")', 'sumif_Ms:real avgif_Ms:real', [[80, 80 / 3]]],
    ['stdev(Ms), variance(Ms)', 'stdev_Ms:real variance_Ms:real', [[Math.sqrt(500 / 3), 500 / 3]]],
    ['dcount(Op), dcountif(Op, Status == 200)', 'dcount_Op:long dcountif_Op:long', [[3, 3]]],
    [
      'make_set(Op), make_list(Status)',
      'set_Op:dynamic list_Status:dynamic',
      [['["wrap","unwrap","sign"]', '[200,200,403,200]']],
    ],
    [
      'make_set(Op, 2), make_set_if(Op, Status == 403), make_list_if(Op, Status == 403)',
      'set_Op:dynamic set_Op1:dynamic list_Op:dynamic',
      [['["wrap","unwrap"]', '["wrap"]', '["wrap"]']],
    ],
    [
      'make_set(Time) by Key',
      'Key:string set_Time:dynamic',
      [
        ['orders', '["2026-11-22T10:00:00.0000000Z","2026-11-22T10:30:00.0000000Z","2026-11-22T11:00:00.0000000Z"]'],
        ['ledger', '["2026-11-22T11:10:00.0000000Z","2026-11-22T11:20:00.0000000Z"]'],
      ],
    ],
    [
      'percentile(Ms, 50), percentiles(Ms, 25, 100)',
      'percentile_Ms_50:real percentile_Ms_25:real percentile_Ms_100:real',
      [[20, 10, 40]],
    ],
    [
      'arg_max(Ms, Op, Status) by Key',
      'Key:string Ms:real Op:string Status:int',
      [
        ['orders', 30, 'wrap', 403],
        ['ledger', 40, 'wrap', null],
      ],
    ],
    [
      'arg_min(Time, *) by Key',
      'Key:string Time:datetime Op:string Status:int Ms:real Tags:dynamic',
      [
        ['orders', '2026-11-22T10:00:00Z', 'wrap', 200, 10, '["a","b"]'],
        ['ledger', '2026-11-22T11:10:00Z', 'sign', 200, null, '["c"]'],
      ],
    ],
    ['Last=arg_max(Time, Op)', 'Last:datetime Op:string', [['2026-11-22T11:20:00Z', 'wrap']]],
    [
      'take_any(Ms) by Key',
      'Key:string Ms:real',
      [
        ['orders', 10],
        ['ledger', 40],
      ],
    ],
    [
      'n=count() by bin(Time, 1h)',
      'Time:datetime n:long',
      [
        ['2026-11-22T10:00:00Z', 2],
        ['2026-11-22T11:00:00Z', 3],
      ],
    ],
    [
      'n=count() by Hour=hourofday(Time), Key',
      'Hour:int Key:string n:long',
      [
        [10, 'orders', 2],
        [11, 'orders', 1],
        [11, 'ledger', 2],
      ],
    ],
    [
      'n=count() by Status',
      'Status:int n:long',
      [
        [200, 3],
        [403, 1],
        [null, 1],
      ],
    ],
    [
      'Rate=100.0 * countif(Status == 403) / count(), First=tostring(min(Time))',
      'Rate:real First:string',
      [[20, '2026-11-22T10:00:00.0000000Z']],
    ],
    ['by Key', 'Key:string', [['orders'], ['ledger']]],
  ])('%s', (aggregates, columns, rows) => {
    const result = shown(ask(`Calls | summarize ${aggregates}`));
    expect(result.rows).toEqual(rows);
    expect(result.columns).toBe(columns);
  });

  test('gives one row of nothing without by, and none with it', () => {
    expect(ask('Calls | where false | summarize count(), sum(Ms), max(Ms), make_set(Op), min(Key)').rows).toEqual([
      [0, 0, null, '[]', ''],
    ]);
    expect(ask('Calls | where false | summarize count() by Key').rows).toEqual([]);
  });
});

describe('join', () => {
  test.each<[string, unknown[][]]>([
    [
      'join kind=inner Owners on Key',
      [
        ['orders', 'wrap', 'orders', 'ada'],
        ['orders', 'wrap', 'orders', 'bea'],
        ['orders', 'unwrap', 'orders', 'ada'],
        ['orders', 'unwrap', 'orders', 'bea'],
      ],
    ],
    [
      'join kind=innerunique Owners on Key',
      [
        ['orders', 'wrap', 'orders', 'ada'],
        ['orders', 'wrap', 'orders', 'bea'],
      ],
    ],
    [
      'join Owners on $left.Key == $right.Key',
      [
        ['orders', 'wrap', 'orders', 'ada'],
        ['orders', 'wrap', 'orders', 'bea'],
      ],
    ],
    [
      'join kind=leftouter (Owners | where Owner == "ada") on Key',
      [
        ['orders', 'wrap', 'orders', 'ada'],
        ['orders', 'unwrap', 'orders', 'ada'],
        ['ledger', 'sign', '', ''],
      ],
    ],
    ['join kind=leftanti Owners on Key', [['ledger', 'sign']]],
    [
      'join kind=leftsemi Owners on Key',
      [
        ['orders', 'wrap'],
        ['orders', 'unwrap'],
      ],
    ],
    ['join kind=rightanti Owners on Key', [['vault', 'cem']]],
    [
      'join kind=fullouter (Owners | where Owner != "bea") on Key',
      [
        ['orders', 'wrap', 'orders', 'ada'],
        ['orders', 'unwrap', 'orders', 'ada'],
        ['ledger', 'sign', '', ''],
        ['', '', 'vault', 'cem'],
      ],
    ],
    [
      'lookup (Owners | where Owner == "ada") on Key',
      [
        ['orders', 'wrap', 'ada'],
        ['orders', 'unwrap', 'ada'],
        ['ledger', 'sign', ''],
      ],
    ],
  ])('%s', (operator, rows) => {
    expect(ask(`Calls | where Op != "wrap" or Ms == 10 | project Key, Op | ${operator}`).rows).toEqual(rows);
  });

  test('matches no null', () => {
    const nulls = 'datatable(v:int)[int(null), 1]';
    expect(run(`${nulls} | join kind=inner (${nulls}) on v`).rows).toEqual([[1, 1]]);
  });
});

describe('union', () => {
  test('names the source of each row, and puts columns of one name and type together', () => {
    const result = shown(ask('union withsource=From (Calls | take 1 | project Key, Status), Owners'));
    expect(result.columns).toBe('From:string Key:string Status:int Owner:string');
    expect(result.rows[0]).toEqual(['union_arg0', 'orders', 200, '']);
    expect(result.rows[1]).toEqual(['Owners', 'orders', null, 'ada']);
  });

  test('keeps columns of different types apart', () => {
    const result = shown(run('union (print x=1), (print x="a")'));
    expect(result).toEqual({
      columns: 'x_long:long x_string:string',
      rows: [
        [1, ''],
        [null, 'a'],
      ],
    });
  });

  test('passes over a table that is not there only when it is fuzzy', () => {
    expect(ask('union isfuzzy=true Nowhere, Owners | count').rows).toEqual([[3]]);
    expect(() => ask('union Nowhere, Owners | count')).toThrow(QueryRefusal);
  });

  test('follows a pipe', () => {
    expect(ask('Owners | union (Owners | take 1) | count').rows).toEqual([[4]]);
  });
});

describe('let', () => {
  test.each<[string, unknown[][]]>([
    ['let limit_ = 20.0; Calls | where Ms > limit_ | count', [[2]]],
    ['let since = ago(65m); Calls | where Time > since | count', [[3]]],
    ['let keys = dynamic(["ledger"]); Calls | where Key in (keys) | count', [[2]]],
    ['let Wraps = Calls | where Op == "wrap"; Wraps | where Key in ((Owners | project Key)) | count', [[2]]],
    ['let most = toscalar(Calls | summarize max(Ms)); Calls | where Ms == most | project Op', [['wrap']]],
    ['let plus = (a:long, b:long = 10) { a + b }; print plus(1), plus(1, 2)', [[11, 3]]],
    ['let name = (key:string) { strcat("key-", key) }; Calls | take 1 | project name(Key)', [['key-orders']]],
    ['let Slow = (least:real) { Calls | where Ms >= least }; Slow(30.0) | count', [[2]]],
    ['let All = () { Calls }; All() | count', [[5]]],
    ['let Kept = materialize(Calls | where Status == 200); union Kept, Kept | count', [[6]]],
  ])('%s', (query, rows) => {
    expect(ask(query).rows).toEqual(rows);
  });
});

describe('What is not executed', () => {
  test.each([
    ['Calls | make-series n=count() on Time step 1h', "the operator 'make-series'", 'make-series'],
    ['Calls | evaluate bag_unpack(Tags)', "the operator 'evaluate'", 'evaluate'],
    ['Calls | parse Key with "or" rest', "the operator 'parse'", 'parse'],
    ['Calls | extend x=row_number()', "the function 'row_number'", 'row_number'],
    ['Calls | summarize hll(Key)', "the function 'hll'", 'hll'],
    ['Calls | where Key in (Op, "x")', "'in' over a list that differs from row to row", 'Op'],
    ['search "x"', "the operator 'search'", 'search'],
    ['print format_datetime(now(), "qq")', "the format 'qq' of format_datetime", 'format_datetime'],
  ])('is refused by name and place: %s', (query, what, token) => {
    const failure = (() => {
      try {
        return ask(query);
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toBeInstanceOf(QueryRefusal);
    const [diagnostic] = (failure as QueryRefusal).diagnostics;
    expect(diagnostic?.message).toContain(`The estate does not execute ${what} (line `);
    expect(diagnostic?.code).toBe('NotExecuted');
    expect(query.slice(diagnostic?.start)).toMatch(new RegExp(`^${token}`));
  });
});
