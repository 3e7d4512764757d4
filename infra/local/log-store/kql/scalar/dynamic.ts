import { isBag, type Json, toDynamic, toText, type Value } from '../value.ts';
import { argument, lifted, type ScalarFunction, textAt } from './function.ts';

const same = (left: Json, right: Json): boolean => left === right || JSON.stringify(left) === JSON.stringify(right);
const asList = (value: Value): Json[] => (Array.isArray(value) ? value : value === null ? [] : [value]);

function distinct(values: readonly Json[]): Json[] {
  const seen = new Set<string>();
  return values.filter((value) => {
    const key = JSON.stringify(value);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** A function of sets, null when one of them is no array. */
const sets =
  (of: (first: Json[], second: Json[]) => Json[]): ScalarFunction =>
  (args) =>
  (row) => {
    let result: Json[] | undefined;
    for (const { get } of args) {
      const value = get(row);
      if (!Array.isArray(value)) return null;
      result = result === undefined ? value : of(result, value);
    }
    return distinct(result ?? []);
  };

const pack: ScalarFunction = (args) => (row) => {
  const bag: Record<string, Json> = {};
  for (let index = 0; index + 1 < args.length; index += 2) {
    const value = argument(args, index + 1);
    bag[textAt(argument(args, index), row)] = toDynamic(value.get(row), value.type);
  }
  return bag;
};

const sorted =
  (sign: 1 | -1): ScalarFunction =>
  (args) => {
    const { get } = argument(args, 0);
    return (row) => {
      const value = get(row);
      if (!Array.isArray(value)) return null;
      const order = (left: Json, right: Json) => {
        if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
        if (typeof left === 'number' && typeof right === 'number') return (left - right) * sign;
        return (toText(left, 'dynamic') < toText(right, 'dynamic') ? -1 : 1) * sign;
      };
      return [...value].sort(order);
    };
  };

export const DYNAMIC: Record<string, ScalarFunction> = {
  array_length: (args) => {
    const { get } = argument(args, 0);
    return (row) => {
      const value = get(row);
      return Array.isArray(value) ? value.length : null;
    };
  },
  set_has_element: (args) => {
    const [list, wanted] = [argument(args, 0), argument(args, 1)];
    return (row) => {
      const [values, one] = [list.get(row), toDynamic(wanted.get(row), wanted.type)];
      return Array.isArray(values) ? values.some((value) => same(value, one)) : null;
    };
  },
  array_index_of: (args) => {
    const [list, wanted] = [argument(args, 0), argument(args, 1)];
    return (row) => {
      const [values, one] = [list.get(row), toDynamic(wanted.get(row), wanted.type)];
      return Array.isArray(values) ? values.findIndex((value) => same(value, one)) : null;
    };
  },
  set_union: sets((first, second) => [...first, ...second]),
  set_intersect: sets((first, second) => first.filter((one) => second.some((other) => same(one, other)))),
  set_difference: sets((first, second) => first.filter((one) => !second.some((other) => same(one, other)))),
  array_concat: (args) => (row) => args.flatMap(({ get }) => asList(get(row))),
  array_slice: lifted((list: Json[], start: number, end: number) =>
    Array.isArray(list) ? list.slice(start, end === -1 ? undefined : end + 1) : null,
  ),
  array_sort_asc: sorted(1),
  array_sort_desc: sorted(-1),
  array_sum: lifted((list: Json[]) =>
    Array.isArray(list) ? list.reduce<number>((sum, one) => sum + Number(one), 0) : null,
  ),
  strcat_array: (args) => (row) => {
    const values = argument(args, 0).get(row);
    return Array.isArray(values)
      ? values.map((one) => toText(one, 'dynamic')).join(textAt(argument(args, 1), row))
      : '';
  },
  pack_array: (args) => (row) => args.map(({ get, type }) => toDynamic(get(row), type)),
  bag_pack: pack,
  pack,
  bag_keys: lifted((bag: Value) => (isBag(bag) ? Object.keys(bag) : null)),
  bag_has_key: lifted((bag: Value, key: string) => (isBag(bag) ? Object.hasOwn(bag, key) : null)),
  bag_merge: (args) => (row) => Object.assign({}, ...args.map(({ get }) => get(row)).filter(isBag)) as Json,
};
