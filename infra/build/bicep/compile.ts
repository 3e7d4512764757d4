import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { type Declaration, type Json, type Scope, toJson } from './expressions.ts';
import { member, resourceSymbol } from './naming.ts';
import { parseBicep } from './parse.ts';
import { atStart, dependencies, frame, placed, resourceJson } from './resources.ts';
import type { Decorator, Statement } from './syntax.ts';
import { BicepError, type Place } from './tokens.ts';

type ModuleStatement = Extract<Statement, { kind: 'module' }>;

const SCHEMAS: Record<string, string> = {
  resourceGroup: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
  subscription: 'https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#',
};

/**
 * The ARM template of a Bicep file: language version 2.0, resources by their symbolic names, modules nested. For the part of
 * Bicep that the templates here use; what it does not know it refuses by name and place. The official compiler comes as a
 * binary from a download page alone, so neither CI nor `npm ci` can have it; where it is installed, CI runs it too.
 */
export function compileBicep(path: string, root: string): { [key: string]: Json } {
  const file = relative(root, path);
  const statements = parseBicep(readFileSync(path, 'utf8'), file);
  const scopeOf = statements.find((statement) => statement.kind === 'targetScope');
  const targetScope = scopeOf?.scope ?? 'resourceGroup';
  const schema = SCHEMAS[targetScope];
  if (!schema)
    throw new BicepError(scopeOf?.place ?? { file, line: 1, column: 1 }, `the scope ${targetScope} is not supported`);

  const symbols = new Map<string, Declaration>();
  const load = (name: string, place: Place): string => {
    try {
      return readFileSync(resolve(dirname(path), name), 'utf8');
    } catch (error) {
      throw new BicepError(place, `${name} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
  };
  const fresh = (): Scope => ({ symbols, locals: new Map(), mentioned: new Set(), load });

  for (const statement of statements) {
    if (statement.kind === 'targetScope' || statement.kind === 'output') continue;
    if (symbols.has(statement.name)) throw new BicepError(statement.place, `${statement.name} is declared twice`);
    if (statement.kind === 'param' || statement.kind === 'var') symbols.set(statement.name, { kind: statement.kind });
    else if (statement.kind === 'module') symbols.set(statement.name, { kind: 'module', loop: !!statement.body.loop });
    else symbols.set(statement.name, resourceSymbol(statement, targetScope, statements, fresh));
  }

  const parameters: Record<string, Json> = {};
  const variables: Record<string, Json> = {};
  const resources: Record<string, Json> = {};
  const outputs: Record<string, Json> = {};
  for (const statement of statements) {
    switch (statement.kind) {
      case 'param':
        parameters[statement.name] = {
          ...typeOf(statement),
          ...decorated(statement.decorators, fresh()),
          ...(statement.default ? { defaultValue: toJson(statement.default, fresh()) } : {}),
        };
        break;
      case 'var':
        variables[statement.name] = variableJson(statement, fresh());
        break;
      case 'resource':
        resources[statement.name] = resourceJson(statement, fresh());
        break;
      case 'module':
        resources[statement.name] = moduleJson(statement, fresh(), resolve(dirname(path), statement.path), root);
        break;
      case 'output':
        outputs[statement.name] = {
          ...typeOf(statement),
          ...decorated(statement.decorators, fresh()),
          value: toJson(statement.value, fresh()),
        };
    }
  }
  return {
    $schema: schema,
    languageVersion: '2.0',
    contentVersion: '1.0.0.0',
    parameters,
    variables,
    resources,
    outputs,
  };
}

/** A variable is calculated at the start, so it holds nothing of a resource. (The official compiler writes it in place.) */
function variableJson({ name, value }: Extract<Statement, { kind: 'var' }>, scope: Scope): Json {
  const json = toJson(value, scope);
  const [mentioned] = scope.mentioned;
  if (mentioned !== undefined)
    throw new BicepError(value.place, `the variable ${name} speaks of ${mentioned}: write it where it is used`);
  return json;
}

function typeOf({
  type,
  decorators,
  place,
}: {
  type: string;
  decorators: Decorator[];
  place: Place;
}): Record<string, Json> {
  const bare = type.replace(/\?$/, '');
  const secure = decorators.some(({ name }) => name === 'secure');
  const known = bare.endsWith('[]') ? 'array' : bare;
  if (!['string', 'int', 'bool', 'object', 'array'].includes(known))
    throw new BicepError(place, `the type ${type} is not supported`);
  return {
    type: secure ? (known === 'string' ? 'securestring' : 'secureObject') : known,
    ...(type.endsWith('?') ? { nullable: true } : {}),
    ...(bare.endsWith('[]') ? { items: { type: bare.slice(0, -2) } } : {}),
  };
}

function decorated(decorators: Decorator[], scope: Scope): Record<string, Json> {
  const found: Record<string, Json> = {};
  const metadata: Record<string, Json> = {};
  for (const { name, args } of decorators) {
    const value = args[0] ? toJson(args[0], scope) : null;
    if (name === 'description') metadata.description = value;
    else if (name === 'allowed') found.allowedValues = value;
    else if (['minLength', 'maxLength', 'minValue', 'maxValue'].includes(name)) found[name] = value;
  }
  return { ...found, ...(Object.keys(metadata).length > 0 ? { metadata } : {}) };
}

function moduleJson(statement: ModuleStatement, scope: Scope, path: string, root: string): Json {
  const { body } = statement;
  const { inner, around } = frame(statement.name, body, scope);
  const params = member(body, 'params');
  if (params && params.kind !== 'object') throw new BicepError(params.place, 'params is an object');
  const template = compileBicep(path, root);
  const known = template.parameters as Record<string, Record<string, Json>>;
  const given = new Map(
    (params?.members ?? []).map(({ key, value }) => {
      if (key === 'spread' || key.kind !== 'literal') throw new BicepError(value.place, 'parameters are plain names');
      const name = String(key.value);
      if (!known[name]) throw new BicepError(value.place, `${statement.path} has no parameter ${name}`);
      return [name, { value: toJson(value, inner) }] as const;
    }),
  );
  for (const [name, parameter] of Object.entries(known)) {
    if (!given.has(name) && parameter.defaultValue === undefined && parameter.nullable !== true)
      throw new BicepError(statement.place, `${statement.path} needs the parameter ${name}`);
  }
  const name = member(body, 'name');
  const where = placed(body, inner);
  if (template.$schema === SCHEMAS.subscription && !('subscriptionId' in where))
    throw new BicepError(statement.place, `${statement.path} needs scope: subscription(…)`);
  return {
    ...around,
    type: 'Microsoft.Resources/deployments',
    apiVersion: '2025-04-01',
    ...where,
    // A deployment of a subscription says where its record is kept.
    ...(template.$schema === SCHEMAS.subscription ? { location: '[resourceGroup().location]' } : {}),
    name: name
      ? atStart(toJson(name, inner), name, 'a name')
      : `[format('${statement.name}-{0}', uniqueString('${statement.name}', deployment().name))]`,
    properties: {
      expressionEvaluationOptions: { scope: 'inner' },
      mode: 'Incremental',
      parameters: Object.fromEntries(given),
      template,
    },
    ...dependencies(statement.name, body, scope),
  };
}
