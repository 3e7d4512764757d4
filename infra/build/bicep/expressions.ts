import type { Expression } from './syntax.ts';
import { BicepError, type Place } from './tokens.ts';

/** What a name stands for, as far as expressions need to know. */
export type Declaration =
  | { kind: 'param' }
  | { kind: 'var' }
  | {
      kind: 'resource';
      type: string;
      apiVersion: string;
      /** The text of resourceId(…) or of what fits the scope. */
      id(item?: string): string;
      /** Its name, last segment only. */
      name(item?: string): string;
      loop: boolean;
    }
  | { kind: 'module'; loop: boolean };

export interface Scope {
  symbols: Map<string, Declaration>;
  /** Text that stands for a loop's item or index, or a lambda's argument. */
  locals: Map<string, string>;
  /** The resources and modules that the expression speaks of, for dependsOn. */
  mentioned: Set<string>;
  /** Reads a file beside the template. */
  load(path: string, place: Place): string;
}

/** JSON as it stands in a template. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Functions that mean the same in both languages. A function that hands out secrets (listKeys and its kin) is not among them. */
const SAME = new Set([
  ...['array', 'base64', 'bool', 'cidrSubnet', 'coalesce', 'concat', 'contains', 'createArray', 'createObject'],
  ...['dataUri', 'dateTimeAdd', 'deployer', 'deployment', 'empty', 'endsWith', 'environment', 'extensionResourceId'],
  ...['filter', 'first', 'flatten', 'format', 'guid', 'if', 'indexOf', 'int', 'intersection', 'items', 'join', 'json'],
  ...['last', 'lastIndexOf', 'length', 'managementGroup', 'map', 'max', 'min', 'newGuid', 'padLeft', 'range', 'reduce'],
  ...['replace', 'resourceGroup', 'resourceId', 'skip', 'sort', 'split', 'startsWith', 'string', 'subscription'],
  ...[
    'subscriptionResourceId',
    'substring',
    'take',
    'tenant',
    'tenantResourceId',
    'toLower',
    'toObject',
    'toUpper',
    'trim',
  ],
  ...['tryGet', 'union', 'uniqueString', 'uri', 'utcNow'],
]);

const BINARY: Record<string, string> = {
  '==': 'equals',
  '&&': 'and',
  '||': 'or',
  '<': 'less',
  '<=': 'lessOrEquals',
  '>': 'greater',
  '>=': 'greaterOrEquals',
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'mod',
  '??': 'coalesce',
};

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A value as JSON: literals stay, everything else becomes `[…]`. */
export function toJson(expression: Expression, scope: Scope): Json {
  switch (expression.kind) {
    case 'literal':
      return typeof expression.value === 'string' && expression.value.startsWith('[')
        ? `[${expression.value}`
        : expression.value;
    case 'array':
      if (expression.items.some(({ spread }) => spread)) break;
      return expression.items.map(({ value }) => toJson(value, scope));
    case 'object':
      if (expression.members.some(({ key }) => key === 'spread')) break;
      return Object.fromEntries(
        expression.members.map(({ key, value }) => [keyText(key as Expression, scope), toJson(value, scope)]),
      );
    case 'call':
      if (expression.callee === 'loadJsonContent') return loadJson(expression, scope);
      if (expression.callee === 'loadTextContent') {
        const text = loaded(expression, scope);
        return text.startsWith('[') ? `[${text}` : text;
      }
      break;
    case 'unary':
      if (expression.operator === '-' && expression.value.kind === 'literal') return -Number(expression.value.value);
  }
  return `[${toText(expression, scope)}]`;
}

/** A key of an object may be computed: `'${identity.id}': {}`. */
function keyText(key: Expression, scope: Scope): string {
  const json = toJson(key, scope);
  if (typeof json !== 'string') throw new BicepError(key.place, 'a key is a text');
  return json;
}

/** A value as the text of a template expression, without the brackets. */
export function toText(expression: Expression, scope: Scope): string {
  const text = (value: Expression) => toText(value, scope);
  switch (expression.kind) {
    case 'literal':
      if (typeof expression.value === 'string') return quoted(expression.value);
      if (typeof expression.value === 'boolean') return `${expression.value}()`;
      return expression.value === null ? 'null()' : String(expression.value);
    case 'interpolation': {
      const pattern = expression.pieces
        .map(
          (piece, at) =>
            piece.replaceAll('{', '{{').replaceAll('}', '}}') + (at < expression.holes.length ? `{${at}}` : ''),
        )
        .join('');
      return `format(${[quoted(pattern), ...expression.holes.map(text)].join(', ')})`;
    }
    case 'array': {
      const plain = (items: Expression[]) => `createArray(${items.map(text).join(', ')})`;
      if (!expression.items.some(({ spread }) => spread)) return plain(expression.items.map(({ value }) => value));
      return `concat(${expression.items.map(({ spread, value }) => (spread ? text(value) : plain([value]))).join(', ')})`;
    }
    case 'object': {
      const plain = (members: typeof expression.members) =>
        `createObject(${members.flatMap(({ key, value }) => [text(key as Expression), text(value)]).join(', ')})`;
      if (!expression.members.some(({ key }) => key === 'spread')) return plain(expression.members);
      return `shallowMerge(createArray(${expression.members
        .map((member) => (member.key === 'spread' ? text(member.value) : plain([member])))
        .join(', ')}))`;
    }
    case 'name':
      return nameText(expression.name, expression.place, scope);
    case 'call':
      return callText(expression, scope);
    case 'member':
      return memberText(expression, scope);
    case 'index': {
      const index = text(expression.index);
      return expression.safe ? `tryGet(${text(expression.of)}, ${index})` : `${text(expression.of)}[${index}]`;
    }
    case 'unary':
      return expression.operator === '!' ? `not(${text(expression.value)})` : `sub(0, ${text(expression.value)})`;
    case 'binary': {
      const args = `${text(expression.left)}, ${text(expression.right)}`;
      return expression.operator === '!=' ? `not(equals(${args}))` : `${BINARY[expression.operator]}(${args})`;
    }
    case 'choice':
      return `if(${[expression.condition, expression.yes, expression.no].map(text).join(', ')})`;
    case 'lambda': {
      const body = toText(
        expression.body,
        withLocals(
          scope,
          expression.names.map((name) => [name, `lambdaVariables('${name}')`]),
        ),
      );
      return `lambda(${[...expression.names.map(quoted), body].join(', ')})`;
    }
    case 'loop': {
      if (expression.index !== undefined) throw new BicepError(expression.place, 'an index in a list is not supported');
      const body = toText(
        expression.body,
        withLocals(scope, [[expression.item, `lambdaVariables('${expression.item}')`]]),
      );
      const over = text(expression.over);
      if (/\breference\(/.test(over))
        throw new BicepError(expression.over.place, 'a list is made of what is known at the start: use map() instead');
      return `map(${over}, lambda(${quoted(expression.item)}, ${body}))`;
    }
  }
}

export const withLocals = (scope: Scope, locals: [string, string][]): Scope => ({
  ...scope,
  locals: new Map([...scope.locals, ...locals]),
});

function nameText(name: string, place: Place, scope: Scope): string {
  const local = scope.locals.get(name);
  if (local !== undefined) return local;
  const symbol = scope.symbols.get(name);
  if (!symbol) throw new BicepError(place, `nothing is called ${name}`);
  if (symbol.kind === 'param') return `parameters('${name}')`;
  if (symbol.kind === 'var') return `variables('${name}')`;
  throw new BicepError(place, `${name} as a whole is no value: take its id, name or properties`);
}

function callText({ callee, args, place }: Extract<Expression, { kind: 'call' }>, scope: Scope): string {
  if (callee === 'loadTextContent') return quoted(loaded({ callee, args, place }, scope));
  if (callee === 'loadJsonContent') return jsonText(loadJson({ callee, args, place }, scope));
  if (!SAME.has(callee)) throw new BicepError(place, `the function ${callee} is not supported`);
  return `${callee}(${args.map((arg) => toText(arg, scope)).join(', ')})`;
}

/** Properties of resources and modules are read when the deployment has made them. */
function memberText(expression: Extract<Expression, { kind: 'member' }>, scope: Scope): string {
  const { of, name, safe, place } = expression;
  const target = of.kind === 'index' && of.of.kind === 'name' ? of.of : of;
  const symbol = target.kind === 'name' && !scope.locals.has(target.name) ? scope.symbols.get(target.name) : undefined;
  if (target.kind === 'name' && (symbol?.kind === 'resource' || symbol?.kind === 'module')) {
    scope.mentioned.add(target.name);
    const item = of.kind === 'index' ? toText(of.index, scope) : undefined;
    if (symbol.loop !== (item !== undefined))
      throw new BicepError(place, `${target.name} is ${symbol.loop ? '' : 'not '}a list`);
    const reference = item === undefined ? quoted(target.name) : `format('${target.name}[{0}]', ${item})`;
    if (symbol.kind === 'module') {
      if (name !== 'outputs') throw new BicepError(place, 'of a module only the outputs can be read');
      return `reference(${reference}).outputs`;
    }
    switch (name) {
      case 'id':
        return symbol.id(item);
      case 'name':
        return symbol.name(item);
      case 'type':
        return quoted(symbol.type);
      case 'properties':
        return `reference(${reference})`;
      default:
        return `reference(${reference}, '${symbol.apiVersion}', 'full').${name}`;
    }
  }
  if (of.kind === 'member' && of.name === 'outputs' && isModule(of.of, scope))
    return `${toText(of, scope)}.${name}.value`;
  return safe ? `tryGet(${toText(of, scope)}, ${quoted(name)})` : `${toText(of, scope)}.${name}`;
}

function isModule(of: Expression, scope: Scope): boolean {
  const target = of.kind === 'index' ? of.of : of;
  return target.kind === 'name' && scope.symbols.get(target.name)?.kind === 'module';
}

function loaded({ args, place }: { callee: string; args: Expression[]; place: Place }, scope: Scope): string {
  const [path] = args;
  if (path?.kind !== 'literal' || typeof path.value !== 'string')
    throw new BicepError(place, 'the path of a file is a plain text');
  return scope.load(path.value, place);
}

function loadJson(call: { callee: string; args: Expression[]; place: Place }, scope: Scope): Json {
  const whole = JSON.parse(loaded(call, scope)) as Json;
  const asLiteral = (value: Json): Json => {
    if (typeof value === 'string') return value.startsWith('[') ? `[${value}` : value;
    if (Array.isArray(value)) return value.map(asLiteral);
    if (value !== null && typeof value === 'object')
      return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, asLiteral(member)]));
    return value;
  };
  if (call.args.length > 1) throw new BicepError(call.place, 'a path into the JSON is not supported');
  return asLiteral(whole);
}

const jsonText = (value: Json): string => `json(${quoted(JSON.stringify(value))})`;
