import { type Declaration, type Scope, toText, withLocals } from './expressions.ts';
import type { Body, Expression, Statement } from './syntax.ts';
import { BicepError } from './tokens.ts';

export type ResourceStatement = Extract<Statement, { kind: 'resource' }>;

export const member = ({ value }: Body, name: string): Expression | undefined =>
  value.members.find(({ key }) => key !== 'spread' && key.kind === 'literal' && key.value === name)?.value;

/** Names of a resource and its parents, outermost first, as template texts. */
function nameParts(statement: ResourceStatement, statements: Statement[], scope: Scope): string[] {
  const name = member(statement.body, 'name');
  if (!name) throw new BicepError(statement.place, `${statement.name} has no name`);
  const parent = member(statement.body, 'parent');
  const own = toText(name, scope);
  if (!parent) {
    if (name.kind === 'interpolation' || name.kind === 'literal') return splitName(name, scope);
    return [own];
  }
  const above = parentOf(parent, statements);
  return [...nameParts(above, statements, scope), own];
}

/** `'${account.name}/default'` names two levels. */
function splitName(name: Expression, scope: Scope): string[] {
  if (name.kind === 'literal')
    return String(name.value)
      .split('/')
      .map((part) => `'${part}'`);
  if (name.kind !== 'interpolation' || !name.pieces.some((piece) => piece.includes('/'))) return [toText(name, scope)];
  throw new BicepError(name.place, 'name a child through its parent, not by a slash');
}

function parentOf(parent: Expression, statements: Statement[]): ResourceStatement {
  const found = statements.find(
    (statement) => statement.kind === 'resource' && parent.kind === 'name' && statement.name === parent.name,
  );
  if (found?.kind !== 'resource') throw new BicepError(parent.place, 'the parent is a resource of this file');
  if (found.body.loop) throw new BicepError(parent.place, 'a parent in a loop is not supported');
  return found;
}

export function resourceSymbol(
  statement: ResourceStatement,
  targetScope: string,
  statements: Statement[],
  fresh: () => Scope,
): Declaration {
  const { loop } = statement.body;
  const within = (item?: string): Scope =>
    loop && item !== undefined ? withLocals(fresh(), locals(loop, item, fresh())) : fresh();
  return {
    kind: 'resource',
    type: statement.type,
    apiVersion: statement.apiVersion,
    loop: !!loop,
    name: (item) => nameParts(statement, statements, within(item)).at(-1) ?? '',
    id(item) {
      const scope = within(item);
      const parts = [`'${statement.type}'`, ...nameParts(statement, statements, scope)].join(', ');
      const at = member(statement.body, 'scope');
      if (!at) return targetScope === 'subscription' ? `subscriptionResourceId(${parts})` : `resourceId(${parts})`;
      if (at.kind === 'call' && at.callee === 'resourceGroup') {
        const where = at.args.map((arg) => toText(arg, scope)).join(', ');
        return `resourceId(${where}, ${parts})`;
      }
      if (at.kind === 'call' && at.callee === 'subscription') return `subscriptionResourceId(${parts})`;
      return `extensionResourceId(${scopeText(at, scope)}, ${parts})`;
    },
  };
}

export const locals = (loop: NonNullable<Body['loop']>, index: string, scope: Scope): [string, string][] => [
  [loop.item, `${toText(loop.over, scope)}[${index}]`],
  ...(loop.index === undefined ? [] : [[loop.index, index] as [string, string]]),
];

/** The id that an extension resource is attached to. */
export function scopeText(at: Expression, scope: Scope): string {
  if (at.kind !== 'name')
    throw new BicepError(at.place, 'a scope is a resource of this file, resourceGroup(…) or subscription()');
  const symbol = scope.symbols.get(at.name);
  if (symbol?.kind !== 'resource') throw new BicepError(at.place, 'a scope is a resource of this file');
  scope.mentioned.add(at.name);
  return symbol.id();
}
