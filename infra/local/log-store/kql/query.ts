import { compile, constantValue, parametersIn } from './expression.ts';
import { join } from './operators/join.ts';
import { mvExpand } from './operators/mv-expand.ts';
import { distinct, extend, project, rearrange, rename } from './operators/project.ts';
import { count, filter, sort, take, top } from './operators/rows.ts';
import { dataTable, print, range } from './operators/sources.ts';
import { summarize } from './operators/summarize.ts';
import { union } from './operators/union.ts';
import { child, isTabular, items, kind, type Node, nameOf, textOf } from './parser.ts';
import { derived, once, type Relation, shared, shownOf } from './relation.ts';
import { type Binding, refuseIn, type Scope } from './scope.ts';
import { typeNamed } from './value.ts';

/** Reads and runs a tabular expression. Refuses, by name, the operators that the estate does not execute. */
export function compileRelation(node: Node, scope: Scope): Relation {
  switch (kind(node)) {
    case 'ParenthesizedExpression':
      return compileRelation(child(node, 'Expression'), scope);
    case 'MaterializeExpression':
      return shared(compileRelation(child(node, 'Expression'), scope));
    case 'NameReference':
      return named(node, scope);
    case 'PipeExpression':
      return operate(child(node, 'Operator'), compileRelation(child(node, 'Expression'), scope), scope);
    case 'FunctionCallExpression':
      return called(node, scope);
    case 'DataTableExpression':
      return dataTable(node, scope);
    case 'PrintOperator':
      return print(node, scope);
    case 'RangeOperator':
      return range(node, scope);
    case 'UnionOperator':
      return union(node, undefined, scope);
    default:
      return refuseIn(scope, node, `the operator '${keywordOf(node)}'`);
  }
}

type Operator = (node: Node, input: Relation, scope: Scope) => Relation;

const OPERATORS: Record<string, Operator> = {
  FilterOperator: filter,
  ExtendOperator: extend,
  ProjectOperator: project,
  ProjectAwayOperator: rearrange,
  ProjectKeepOperator: rearrange,
  ProjectReorderOperator: rearrange,
  ProjectRenameOperator: rename,
  DistinctOperator: distinct,
  SummarizeOperator: summarize,
  JoinOperator: join,
  LookupOperator: join,
  UnionOperator: (node, input, scope) => union(node, input, scope),
  MvExpandOperator: mvExpand,
  SortOperator: sort,
  TopOperator: top,
  TakeOperator: take,
  CountOperator: count,
  // How a result is drawn, or called, does not change it.
  RenderOperator: (_node, input) => input,
  SerializeOperator: (_node, input) => input,
  AsOperator: (_node, input) => input,
};

function operate(node: Node, input: Relation, scope: Scope): Relation {
  scope.world.checkTime();
  const operator = OPERATORS[kind(node)];
  if (!operator) return refuseIn(scope, node, `the operator '${keywordOf(node)}'`);
  return operator(node, input, scope);
}

/** `make-series` of a MakeSeriesOperator. */
const keywordOf = (node: Node): string => /^[\w-]+/.exec(textOf(node))?.[0] ?? kind(node);

function named(node: Node, scope: Scope): Relation {
  const name = nameOf(node);
  const binding = scope.names.get(name);
  if (binding?.kind === 'tabular') return binding.relation();
  if (binding?.kind === 'function') return body(binding.declaration, [], binding.scope);
  return scope.world.table(name);
}

function called(node: Node, scope: Scope): Relation {
  const name = nameOf(child(node, 'Name'));
  const binding = scope.names.get(name);
  if (binding?.kind !== 'function') return refuseIn(scope, node, `the function '${name}' as a table`);
  return body(binding.declaration, items(child(node, 'ArgumentList').Expressions), binding.scope, scope);
}

function body(declaration: Node, args: readonly Node[], scope: Scope, caller: Scope = scope): Relation {
  const inside = child(declaration, 'Body');
  if (items(inside.Statements).length > 0) return refuseIn(scope, inside, 'statements inside a function');
  const declared = items(child(declaration, 'Parameters').Parameters);
  const given = args.map((one, index) => {
    const typed = declared[index] && child(declared[index], 'NameAndType');
    if (!typed || kind(child(typed, 'Type')) !== 'PrimitiveTypeExpression') {
      return refuseIn(scope, one, 'a table as an argument of a function');
    }
    const value = constantValue(one, caller);
    return { type: parameterType(typed), get: () => value, constant: true };
  });
  return compileRelation(child(inside, 'Expression'), parametersIn(declaration, given, scope));
}

const parameterType = (typed: Node) => typeNamed(textOf(child(child(typed, 'Type'), 'Type'))) ?? 'dynamic';

/** What a `let` binds its name to. Tables are worked out when they are first used, and once. */
export function bind(name: string, node: Node, scope: Scope): Binding {
  if (kind(node) === 'FunctionDeclaration') return { kind: 'function', declaration: node, scope };
  if (isTabular(node)) {
    const relation = once(() => {
      const made = compileRelation(node, scope);
      const called = derived(made, { ...shownOf(made), source: name }, (row) => row);
      return scope.world.references(name) > 1 ? shared(called) : called;
    });
    return { kind: 'tabular', relation };
  }
  return { kind: 'scalar', compiled: compile(node, scope) };
}
