import type { Place } from './tokens.ts';

export type Expression = { place: Place } & (
  | { kind: 'literal'; value: string | number | boolean | null }
  | { kind: 'interpolation'; pieces: string[]; holes: Expression[] }
  | { kind: 'array'; items: { spread: boolean; value: Expression }[] }
  | { kind: 'object'; members: { key: Expression | 'spread'; value: Expression }[] }
  | { kind: 'name'; name: string }
  | { kind: 'call'; callee: string; args: Expression[] }
  | { kind: 'member'; of: Expression; name: string; safe: boolean }
  | { kind: 'index'; of: Expression; index: Expression; safe: boolean }
  | { kind: 'unary'; operator: '!' | '-'; value: Expression }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }
  | { kind: 'choice'; condition: Expression; yes: Expression; no: Expression }
  | { kind: 'lambda'; names: string[]; body: Expression }
  | { kind: 'loop'; item: string; index?: string; over: Expression; body: Expression }
);

export interface Decorator {
  name: string;
  args: Expression[];
}

interface Declared {
  name: string;
  decorators: Decorator[];
  place: Place;
}

/** The body of a resource or module, with its condition and loop taken off. */
export interface Body {
  condition?: Expression;
  loop?: { item: string; index?: string; over: Expression };
  value: Extract<Expression, { kind: 'object' }>;
}

export type Statement =
  | (Declared & { kind: 'param'; type: string; default?: Expression })
  | (Declared & { kind: 'var'; value: Expression })
  | (Declared & { kind: 'output'; type: string; value: Expression })
  | (Declared & { kind: 'resource'; type: string; apiVersion: string; existing: boolean; body: Body })
  | (Declared & { kind: 'module'; path: string; body: Body })
  | { kind: 'targetScope'; scope: string; place: Place };
