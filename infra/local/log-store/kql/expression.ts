import { AGGREGATES } from './aggregates.ts';
import { compileBinary, memberTest } from './binary.ts';
import { jsonOf, literalValue } from './literal.ts';
import { child, isTabular, items, kind, type Node, nameOf, optional, textOf, typeOf } from './parser.ts';
import type { Row } from './relation.ts';
import { FUNCTIONS } from './scalar/index.ts';
import { type Compiled, refuseIn, type Scope } from './scope.ts';
import { compare, isBag, type Type, toText, type Value } from './value.ts';

/** The row of expressions that read none. */
export const NO_ROW: Row = [];

const constantOf = (type: Type, value: Value): Compiled => ({ type, get: () => value, constant: true });

/** Makes an expression ready to run over rows of a scope. Refuses, by name, what the estate does not execute. */
export function compile(node: Node, scope: Scope): Compiled {
  switch (kind(node)) {
    case 'ParenthesizedExpression':
    case 'SimpleNamedExpression':
    case 'OrderedExpression':
      return compile(child(node, 'Expression'), scope);
    case 'LiteralExpression':
    case 'CompoundStringLiteralExpression':
      return constantOf(typeOf(node) ?? 'string', literalValue(node, scope.world.text));
    case 'DynamicExpression':
      return constantOf('dynamic', jsonOf(node, scope.world.text));
    case 'TypeOfLiteralExpression':
      // The parser has read it into the type of the call.
      return constantOf('string', textOf(node));
    case 'NameReference':
      return nameValue(node, scope);
    case 'PathExpression':
      return pathValue(node, scope);
    case 'ElementExpression':
      return elementValue(node, scope);
    case 'PrefixUnaryExpression':
      return signed(node, scope);
    case 'BinaryExpression':
      return compileBinary(node, scope, compile);
    case 'InExpression':
    case 'HasAnyExpression':
    case 'HasAllExpression':
      return membership(node, scope);
    case 'BetweenExpression':
      return between(node, scope);
    case 'FunctionCallExpression':
      return call(node, scope);
    case 'ToScalarExpression': {
      const { columns, rows } = scope.world.relation(child(node, 'Expression'), scope);
      const [column, row] = [columns[0], rows()[0]];
      const type = column?.type ?? 'dynamic';
      return constantOf(type, column && row ? column.get(row) : null);
    }
    default:
      return refuseIn(scope, node, `the expression ${textOf(node).slice(0, 60)} (${kind(node)})`);
  }
}

function nameValue(node: Node, scope: Scope): Compiled {
  const name = nameOf(node);
  const column = scope.columns.find((one) => one.name === name);
  if (column) return { type: column.type, get: column.get, constant: false };
  const binding = scope.names.get(name);
  if (binding?.kind === 'scalar') return binding.compiled;
  if (binding?.kind === 'function') return invoke(binding.declaration, [], binding.scope);
  return refuseIn(scope, node, `the name '${name}' here`);
}

function pathValue(node: Node, scope: Scope): Compiled {
  const [base, selector] = [child(node, 'Expression'), child(node, 'Selector')];
  if (scope.sides && kind(base) === 'NameReference' && /^\$(left|right)$/.test(nameOf(base))) {
    const side = nameOf(base) === '$left' ? scope.sides.left : scope.sides.right;
    const column = side.find((one) => one.name === nameOf(selector));
    if (column) return { type: column.type, get: column.get, constant: false };
  }
  const bag = compile(base, scope);
  if (kind(selector) === 'NameReference') {
    const name = nameOf(selector);
    return { type: 'dynamic', constant: bag.constant, get: (row) => member(bag.get(row), name) };
  }
  return refuseIn(scope, node, `the path ${textOf(node).slice(0, 60)}`);
}

function elementValue(node: Node, scope: Scope): Compiled {
  const bag = compile(child(node, 'Expression'), scope);
  const index = compile(child(child(node, 'Selector'), 'Expression'), scope);
  const constant = bag.constant && index.constant;
  return { type: 'dynamic', constant, get: (row) => member(bag.get(row), index.get(row)) };
}

/** A member of a bag or an element of an array, from the end when the index is negative; null where there is none. */
export function member(value: Value, name: Value): Value {
  if (Array.isArray(value)) return typeof name === 'number' ? (value.at(name) ?? null) : null;
  if (!isBag(value) || typeof name !== 'string' || !Object.hasOwn(value, name)) return null;
  return value[name] ?? null;
}

function signed(node: Node, scope: Scope): Compiled {
  const operand = compile(child(node, 'Expression'), scope);
  if (textOf(child(node, 'Operator')) !== '-') return operand;
  return {
    ...operand,
    get: (row) => {
      const value = operand.get(row);
      return typeof value === 'number' ? -value : null;
    },
  };
}

function membership(node: Node, scope: Scope): Compiled {
  const left = compile(child(node, 'Left'), scope);
  const operator = textOf(child(node, 'Operator')).toLowerCase();
  const values = items(child(node, 'Right').Expressions).flatMap((one): { value: Value; type: Type }[] => {
    if (isTabular(one)) {
      const { columns, rows } = scope.world.relation(one, scope);
      const column = columns[0];
      return column ? rows().map((row) => ({ value: column.get(row), type: column.type })) : [];
    }
    const compiled = compile(one, scope);
    if (!compiled.constant) return refuseIn(scope, one, `'${operator}' over a list that differs from row to row`);
    const value = compiled.get(NO_ROW);
    if (compiled.type !== 'dynamic' || !Array.isArray(value)) return [{ value, type: compiled.type }];
    return value.map((each) => ({ value: each, type: 'dynamic' }));
  });
  const test = memberTest(operator, values);
  return { type: 'bool', constant: left.constant, get: (row) => test(left.get(row), left.type) };
}

function between(node: Node, scope: Scope): Compiled {
  const [left, couple] = [compile(child(node, 'Left'), scope), child(node, 'Right')];
  const [low, high] = [compile(child(couple, 'First'), scope), compile(child(couple, 'Second'), scope)];
  const deny = textOf(child(node, 'Operator')).startsWith('!');
  // `between (instant .. span)` ends that much after the instant.
  const span = left.type === 'datetime' && high.type === 'timespan';
  const constant = left.constant && low.constant && high.constant;
  return {
    ...{ type: 'bool', constant },
    get: (row) => {
      const [value, from, to] = [left.get(row), low.get(row), high.get(row)];
      if (value === null || from === null || to === null) return null;
      const end = span ? (from as number) + (to as number) : to;
      return (compare(value, from) >= 0 && compare(value, end) <= 0) !== deny;
    },
  };
}

function call(node: Node, scope: Scope): Compiled {
  const name = nameOf(child(node, 'Name'));
  const given = items(child(node, 'ArgumentList').Expressions);
  const binding = scope.names.get(name);
  if (binding?.kind === 'function') {
    return invoke(
      binding.declaration,
      given.map((one) => compile(one, scope)),
      binding.scope,
    );
  }
  const aggregate = AGGREGATES[name];
  if (scope.aggregate && aggregate) {
    const made = aggregate({ node, given, scope, compile: (one) => compile(one, { ...scope, aggregate: undefined }) });
    if (made.length !== 1 || !made[0]) return refuseIn(scope, node, `'${name}' inside an expression`);
    return { type: made[0].type, get: scope.aggregate(made[0]), constant: false };
  }
  if (name === 'ingestion_time') {
    return { type: 'datetime', constant: false, get: scope.ingestion ?? (() => null) };
  }
  if (name === 'column_ifexists') return columnIfExists(given, scope);
  const make = FUNCTIONS[name];
  if (!make) return refuseIn(scope, node, `the function '${name}'`);
  const args = given.map((one) => compile(one, scope));
  const type = typeOf(node) ?? 'dynamic';
  const made = make(args, { type, now: scope.world.now, refuse: (what) => refuseIn(scope, node, what) });
  const constant = args.every((one) => one.constant);
  // What reads no row is computed once, not for each row.
  let known: Value | undefined;
  const get = constant
    ? () => {
        if (known === undefined) known = made(NO_ROW);
        return known;
      }
    : made;
  return { type, get, constant };
}

function columnIfExists([nameNode, otherwise]: Node[], scope: Scope): Compiled {
  if (!nameNode || !otherwise) throw new TypeError('column_ifexists takes two arguments.');
  const name = toText(compile(nameNode, scope).get(NO_ROW), 'string');
  const column = scope.columns.find((one) => one.name === name);
  return column ? { type: column.type, get: column.get, constant: false } : compile(otherwise, scope);
}

/** The names of a function's body: what it was declared with, and its parameters. */
export function parametersIn(declaration: Node, args: readonly Compiled[], scope: Scope): Scope {
  const declared = items(child(declaration, 'Parameters').Parameters);
  const names = new Map(scope.names);
  for (const [index, parameter] of declared.entries()) {
    const typed = child(parameter, 'NameAndType');
    const fallback = optional(parameter, 'DefaultValue');
    const compiled = args[index] ?? (fallback && compile(child(fallback, 'Value'), scope));
    if (!compiled) refuseIn(scope, parameter, 'a call without this parameter');
    else names.set(nameOf(child(typed, 'Name')), { kind: 'scalar', compiled });
  }
  return { world: scope.world, columns: [], names };
}

function invoke(declaration: Node, args: readonly Compiled[], scope: Scope): Compiled {
  const body = child(declaration, 'Body');
  if (items(body.Statements).length > 0) return refuseIn(scope, body, 'statements inside a function');
  return compile(child(body, 'Expression'), parametersIn(declaration, args, scope));
}

/** A value that must be known before rows are read. */
export function constantValue(node: Node, scope: Scope): Value {
  const compiled = compile(node, { ...scope, columns: [] });
  return compiled.get(NO_ROW);
}
