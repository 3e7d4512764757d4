import { kind, type Node, nameOf } from './parser.ts';
import type { Getter, Row } from './relation.ts';
import { type Compiled, refuseIn, type Scope } from './scope.ts';
import { compare, isWhole, keyOf, missing, type Type, toDynamic, type Value } from './value.ts';

/** One result of an aggregate function: `add` sees every row of a group, `done` gives the value. */
export interface Aggregate<State = unknown> {
  type: Type;
  start(): State;
  add(state: State, row: Row): State;
  done(state: State): Value;
}

/** A call of an aggregate function inside `summarize`. */
export interface AggregateCall {
  node: Node;
  given: readonly Node[];
  scope: Scope;
  compile(node: Node): Compiled;
}
type AggregateFunction = (call: AggregateCall) => Aggregate[];

const aggregate = <State>(made: Aggregate<State>): Aggregate[] => [made as Aggregate];
const always: Getter = () => true;

/** The n-th argument, or a refusal that names the call. */
function argument(call: AggregateCall, index: number): Compiled {
  const node = call.given[index];
  return node ? call.compile(node) : refuseIn(call.scope, call.node, 'a call without this argument');
}
function constant(call: AggregateCall, index: number): Value {
  const compiled = argument(call, index);
  return compiled.constant
    ? compiled.get([])
    : refuseIn(call.scope, call.node, 'an argument that differs from row to row');
}
/** The condition of the …if functions. */
const condition = (call: AggregateCall, index: number | undefined): Getter =>
  index === undefined ? always : argument(call, index).get;

const count =
  (test?: number): AggregateFunction =>
  (call) => {
    const holds = condition(call, test);
    return aggregate<number>({
      type: 'long',
      start: () => 0,
      add: (sum, row) => (holds(row) === true ? sum + 1 : sum),
      done: (sum) => sum,
    });
  };

const sum =
  (test?: number): AggregateFunction =>
  (call) => {
    const [{ type, get }, holds] = [argument(call, 0), condition(call, test)];
    return aggregate<number>({
      type: type === 'int' ? 'long' : type,
      start: () => 0,
      add(total, row) {
        const value = holds(row) === true ? get(row) : null;
        return typeof value === 'number' ? total + value : total;
      },
      done: (total) => total,
    });
  };

/** Mean, and the deviations from it by Welford's method. */
const moments =
  (of: (state: { n: number; mean: number; squares: number }) => number | null, test?: number): AggregateFunction =>
  (call) => {
    const [{ type, get }, holds] = [argument(call, 0), condition(call, test)];
    return aggregate({
      type: type === 'datetime' || type === 'timespan' ? type : 'real',
      start: () => ({ n: 0, mean: 0, squares: 0 }),
      add(state, row) {
        const value = holds(row) === true ? get(row) : null;
        if (typeof value !== 'number') return state;
        const away = value - state.mean;
        state.mean += away / ++state.n;
        state.squares += away * (value - state.mean);
        return state;
      },
      done: of,
    });
  };
const average = ({ n, mean }: { n: number; mean: number }) => (n === 0 ? null : mean);
const deviation = (least: number, of: (variance: number) => number) => (state: { n: number; squares: number }) =>
  state.n <= least ? (state.n === 0 ? null : 0) : of(state.squares / (state.n - least));

const extreme =
  (sign: 1 | -1, test?: number): AggregateFunction =>
  (call) => {
    const [{ type, get }, holds] = [argument(call, 0), condition(call, test)];
    return aggregate<Value>({
      type,
      start: () => null,
      add(best, row) {
        const value = holds(row) === true ? get(row) : null;
        return value !== null && (best === null || compare(value, best) * sign > 0) ? value : best;
      },
      done: (best) => best ?? missing(type),
    });
  };

/** Distinct values, counted exactly; the service estimates above a few hundred. */
const distinct =
  (test?: number): AggregateFunction =>
  (call) => {
    const [{ get }, holds] = [argument(call, 0), condition(call, test)];
    return aggregate<Set<unknown>>({
      type: 'long',
      start: () => new Set(),
      add(seen, row) {
        const value = holds(row) === true ? get(row) : null;
        return value === null ? seen : seen.add(keyOf(value));
      },
      done: (seen) => seen.size,
    });
  };

/** What `make_list` and `make_set` hold at most. Source: the pages of both functions. */
const MAX_ELEMENTS = 1_048_576;

const collect =
  (unique: boolean, test?: number): AggregateFunction =>
  (call) => {
    const [{ type, get }, holds] = [argument(call, 0), condition(call, test)];
    const sizeAt = test === undefined ? 1 : 2;
    const most = call.given[sizeAt] ? Number(constant(call, sizeAt)) : MAX_ELEMENTS;
    return aggregate<Map<unknown, Value>>({
      type: 'dynamic',
      start: () => new Map(),
      add(kept, row) {
        const value = holds(row) === true ? get(row) : null;
        if (value === null || kept.size >= most) return kept;
        const key = unique ? keyOf(value) : kept.size;
        return kept.has(key) ? kept : kept.set(key, toDynamic(value, type));
      },
      done: (kept) => [...kept.values()],
    });
  };

/** Nearest rank over the exact values, where the service estimates. */
function percentileOf(sorted: readonly Value[], percent: number): Value {
  const rank = Math.ceil((percent / 100) * sorted.length);
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1] ?? null;
}

function percentiles(percents: readonly number[], type: Type, get: Getter): Aggregate[] {
  return percents.map((percent) => ({
    type,
    start: () => [],
    add(values, row) {
      const value = get(row);
      if (value !== null) (values as Value[]).push(value);
      return values;
    },
    done: (values) => percentileOf((values as Value[]).sort(compare), percent),
  }));
}

/** `arg_max(by, column…)`: the first row of those with the greatest value that is not null, and its cells. */
const argExtreme =
  (sign: 1 | -1): AggregateFunction =>
  (call) => {
    const by = argument(call, 0);
    const shown = call.given.slice(1).flatMap((node) => expanded(node, call, call.given[0]));
    const winner = {
      start: (): { row?: Row; best: Value } => ({ best: null }),
      add(state: { row?: Row; best: Value }, row: Row) {
        const value = by.get(row);
        if (!state.row || (value !== null && (state.best === null || compare(value, state.best) * sign > 0))) {
          state.row = row;
          state.best = value;
        }
        return state;
      },
    };
    return [by, ...shown].map(
      ({ type, get }) =>
        ({
          ...winner,
          type,
          done: ({ row }: { row?: Row }) => (row ? get(row) : missing(type)),
        }) as Aggregate,
    );
  };

/** `*` is every column but those that are grouped by and the one that was asked for. */
function expanded(node: Node, call: AggregateCall, besides: Node | undefined): Compiled[] {
  if (kind(node) !== 'StarExpression') return [call.compile(node)];
  const grouped = new Set(call.scope.groupedBy);
  if (besides && kind(besides) === 'NameReference') grouped.add(nameOf(besides));
  return call.scope.columns
    .filter(({ name }) => !grouped.has(name))
    .map(({ type, get }) => ({ type, get, constant: false }));
}

const takeAny: AggregateFunction = (call) =>
  call.given
    .flatMap((node) => expanded(node, call, undefined))
    .map(({ type, get }) => ({
      type,
      start: () => null,
      add: (kept, row) => kept ?? get(row),
      done: (kept) => (kept as Value) ?? missing(type),
    }));

/** Every aggregate function that is executed, by name; what is not here is refused. */
export const AGGREGATES: Readonly<Record<string, AggregateFunction>> = {
  __proto__: null as never,
  count: count(),
  countif: count(0),
  sum: sum(),
  sumif: sum(1),
  avg: moments(average),
  avgif: moments(average, 1),
  stdev: moments(deviation(1, Math.sqrt)),
  stdevp: moments(deviation(0, Math.sqrt)),
  variance: moments(deviation(1, (value) => value)),
  min: extreme(-1),
  minif: extreme(-1, 1),
  max: extreme(1),
  maxif: extreme(1, 1),
  dcount: distinct(),
  count_distinct: distinct(),
  dcountif: distinct(1),
  make_list: collect(false),
  make_list_if: collect(false, 1),
  make_set: collect(true),
  make_set_if: collect(true, 1),
  percentile: (call) => {
    const { type, get } = argument(call, 0);
    return percentiles([Number(constant(call, 1))], isWhole(type) ? 'long' : type, get);
  },
  percentiles: (call) => {
    const { type, get } = argument(call, 0);
    const percents = call.given.slice(1).map((_, index) => Number(constant(call, index + 1)));
    return percentiles(percents, isWhole(type) ? 'long' : type, get);
  },
  arg_max: argExtreme(1),
  arg_min: argExtreme(-1),
  take_any: takeAny,
  any: takeAny,
};
