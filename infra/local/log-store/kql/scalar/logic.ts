import type { Compiled } from '../scope.ts';
import { compare, type Type, toDynamic, type Value } from '../value.ts';
import { argument, type Call, type ScalarFunction } from './function.ts';

/** A branch as the result's type: what goes into a dynamic becomes what a dynamic holds. */
const as = (type: Type, branch: Compiled) =>
  type === 'dynamic' ? (value: Value) => toDynamic(value, branch.type) : (value: Value) => value;

const iff: ScalarFunction = (args, { type }) => {
  const [test, yes, no] = [argument(args, 0), argument(args, 1), argument(args, 2)];
  const [asYes, asNo] = [as(type, yes), as(type, no)];
  return (row) => (test.get(row) === true ? asYes(yes.get(row)) : asNo(no.get(row)));
};

const whichCase: ScalarFunction = (args, { type }) => {
  const otherwise = argument(args, args.length - 1);
  const branches = Array.from({ length: Math.floor((args.length - 1) / 2) }, (_, index) => {
    const [test, value] = [argument(args, 2 * index), argument(args, 2 * index + 1)];
    return { test, value, convert: as(type, value) };
  });
  const last = as(type, otherwise);
  return (row) => {
    for (const { test, value, convert } of branches) if (test.get(row) === true) return convert(value.get(row));
    return last(otherwise.get(row));
  };
};

/** Neither null nor, for texts, empty. Source: https://learn.microsoft.com/kusto/query/coalesce-function */
const coalesce: ScalarFunction = (args, { type }) => {
  const ways = args.map((one) => ({ one, convert: as(type, one) }));
  return (row) => {
    let last: Value = type === 'string' ? '' : null;
    for (const { one, convert } of ways) {
      const value = one.get(row);
      if (value !== null && value !== '') return convert(value);
      if (type === 'string') last = '';
    }
    return last;
  };
};

const isEmpty = (value: Value): boolean => value === null || value === '';
const test =
  (of: (value: Value) => boolean): ScalarFunction =>
  (args) => {
    const { get } = argument(args, 0);
    return (row) => of(get(row));
  };

const extreme =
  (sign: 1 | -1): ScalarFunction =>
  (args: readonly Compiled[], _call: Call) =>
  (row) => {
    let best: Value = null;
    for (const { get } of args) {
      const value = get(row);
      if (value !== null && (best === null || compare(value, best) * sign > 0)) best = value;
    }
    return best;
  };

export const LOGIC: Record<string, ScalarFunction> = {
  iff,
  iif: iff,
  case: whichCase,
  coalesce,
  not: (args) => {
    const { get } = argument(args, 0);
    return (row) => {
      const value = get(row);
      return value === null ? null : value !== true;
    };
  },
  isempty: test(isEmpty),
  isnotempty: test((value) => !isEmpty(value)),
  notempty: test((value) => !isEmpty(value)),
  isnull: test((value) => value === null),
  isnotnull: test((value) => value !== null),
  notnull: test((value) => value !== null),
  max_of: extreme(1),
  min_of: extreme(-1),
};
