import { type Json, type Scope, toJson, toText, withLocals } from './expressions.ts';
import { locals, member, type ResourceStatement, scopeText } from './naming.ts';
import type { Body, Expression } from './syntax.ts';
import { BicepError } from './tokens.ts';

/** Members of a resource that are written beside the properties, not as properties of the service. */
const OWN = new Set(['parent', 'scope', 'dependsOn', 'name']);

/** Names, conditions, loops and scopes are calculated at the start: what a resource answers is not known then. */
export function atStart(json: Json, { place }: Expression, what: string): Json {
  if (/\breference\(/.test(JSON.stringify(json)))
    throw new BicepError(place, `${what} is calculated at the start, and cannot wait for what a resource answers`);
  return json;
}

/** What conditions and loops add to a resource, and the scope that its body is read in. */
export function frame(name: string, body: Body, scope: Scope): { inner: Scope; around: Record<string, Json> } {
  const { loop, condition } = body;
  const inner = loop ? withLocals(scope, locals(loop, 'copyIndex()', scope)) : scope;
  return {
    inner,
    around: {
      ...(condition ? { condition: atStart(toJson(condition, inner), condition, 'a condition') } : {}),
      ...(loop ? { copy: { name, count: atStart(`[length(${toText(loop.over, scope)})]`, loop.over, 'a loop') } } : {}),
    },
  };
}

export function resourceJson(statement: ResourceStatement, scope: Scope): Json {
  const { body } = statement;
  const { inner, around } = frame(statement.name, body, scope);
  const symbol = scope.symbols.get(statement.name);
  if (symbol?.kind !== 'resource') throw new BicepError(statement.place, 'not a resource');
  const rest: Record<string, Json> = {};
  for (const { key, value } of body.value.members) {
    if (key === 'spread' || key.kind !== 'literal')
      throw new BicepError(value.place, 'members of a resource are plain names');
    if (!OWN.has(String(key.value))) rest[String(key.value)] = toJson(value, inner);
  }
  const parent = member(body, 'parent');
  if (parent?.kind === 'name') scope.mentioned.add(parent.name);
  return {
    ...(statement.existing ? { existing: true } : {}),
    ...around,
    type: statement.type,
    apiVersion: statement.apiVersion,
    ...placed(body, inner),
    name: fullName(statement, inner),
    ...rest,
    ...dependencies(statement.name, body, scope),
  };
}

function fullName(statement: ResourceStatement, scope: Scope): Json {
  const name = member(statement.body, 'name');
  const parent = member(statement.body, 'parent');
  if (!name) throw new BicepError(statement.place, `${statement.name} has no name`);
  atStart(toJson(name, scope), name, 'a name');
  if (!parent) return toJson(name, scope);
  const above = parent.kind === 'name' ? scope.symbols.get(parent.name) : undefined;
  if (above?.kind !== 'resource') throw new BicepError(parent.place, 'the parent is a resource of this file');
  const segments = statement.type.split('/').length - 1;
  const text = toText(name, scope);
  // The names of all parents, which the id lists after the type.
  const parts = namesIn(above.id(), segments - 1);
  return `[format('${Array.from({ length: segments }, (_, at) => `{${at}}`).join('/')}', ${[...parts, text].join(', ')})]`;
}

/** The last `count` arguments of a text such as resourceId('type', a, b(c, d)). */
function namesIn(id: string, count: number): string[] {
  const inside = id.slice(id.indexOf('(') + 1, -1);
  const parts: string[] = [];
  let depth = 0;
  let quotedText = false;
  let part = '';
  for (const char of inside) {
    if (char === "'") quotedText = !quotedText;
    if (!quotedText && '([{'.includes(char)) depth++;
    if (!quotedText && ')]}'.includes(char)) depth--;
    if (char === ',' && depth === 0 && !quotedText) {
      parts.push(part.trim());
      part = '';
    } else part += char;
  }
  parts.push(part.trim());
  return parts.slice(-count);
}

/** Where a resource or module goes, if not to the scope of the file. */
export function placed(body: Body, scope: Scope): Record<string, Json> {
  const at = member(body, 'scope');
  if (!at) return {};
  if (at.kind === 'call' && at.callee === 'subscription') {
    const [id] = at.args;
    return { subscriptionId: id ? atStart(toJson(id, scope), id, 'a scope') : '[subscription().subscriptionId]' };
  }
  if (at.kind === 'call' && at.callee === 'resourceGroup') {
    const where = at.args.map((arg) => atStart(toJson(arg, scope), arg, 'a scope'));
    const [group] = where.slice(-1);
    if (group === undefined) return {};
    return { ...(where.length === 2 ? { subscriptionId: where[0] ?? null } : {}), resourceGroup: group };
  }
  if (at.kind === 'name') {
    const symbol = scope.symbols.get(at.name);
    if (symbol?.kind === 'resource' && symbol.type === 'Microsoft.Resources/resourceGroups') {
      scope.mentioned.add(at.name);
      return { resourceGroup: `[${symbol.name()}]` };
    }
  }
  return { scope: `[${scopeText(at, scope)}]` };
}

export function dependencies(self: string, body: Body, scope: Scope): Record<string, Json> {
  const stated = member(body, 'dependsOn');
  if (stated && stated.kind !== 'array') throw new BicepError(stated.place, 'dependsOn is a list of names');
  const names = new Set(scope.mentioned);
  for (const { value } of stated?.items ?? []) {
    if (value.kind !== 'name') throw new BicepError(value.place, 'dependsOn is a list of names');
    names.add(value.name);
  }
  names.delete(self);
  return names.size > 0 ? { dependsOn: [...names].sort() } : {};
}
