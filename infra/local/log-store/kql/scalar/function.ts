import type { Getter, Row } from '../relation.ts';
import type { Compiled } from '../scope.ts';
import { type Type, toText, type Value } from '../value.ts';

/** What a call of a function is told beside its arguments. */
export interface Call {
  /** The parser's type of the result. */
  type: Type;
  /** Ticks of `now()`. */
  now: number;
  /** Refuses the call, by name and place. */
  refuse(what: string): never;
}

export type ScalarFunction = (args: readonly Compiled[], call: Call) => Getter;

const NOTHING: Compiled = { type: 'dynamic', get: () => null, constant: true };

export const argument = (args: readonly Compiled[], index: number): Compiled => args[index] ?? NOTHING;

/** A function of values that is null as soon as one of them is. */
export const lifted =
  (of: (...values: never[]) => Value): ScalarFunction =>
  (args) =>
  (row) => {
    const values: Value[] = [];
    for (const { get } of args) {
      const value = get(row);
      if (value === null) return null;
      values.push(value);
    }
    return (of as (...values: Value[]) => Value)(...values);
  };

/** A function of the texts of its arguments, null being the empty one. */
export const ofTexts =
  (of: (...texts: string[]) => Value): ScalarFunction =>
  (args) => {
    const [one, other] = args;
    if (one && !other) return (row) => of(textAt(one, row));
    return (row) => of(...args.map((each) => textAt(each, row)));
  };

export function textAt(one: Compiled, row: Row): string {
  const value = one.get(row);
  return typeof value === 'string' ? value : toText(value, one.type);
}
