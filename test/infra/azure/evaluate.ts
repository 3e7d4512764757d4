import type { Fields, Json } from './template.ts';

/** What a template is evaluated with. `reference` answers for resources and modules by their symbolic name. */
export interface Given {
  parameters: Fields;
  variables: Fields;
  cloud: string;
  reference(name: string): Json;
}

type Locals = Record<string, Json>;
type Lambda = { names: string[]; body: Expression };
type Expression =
  | { kind: 'value'; value: Json }
  | { kind: 'call'; name: string; args: Expression[] }
  | { kind: 'member'; of: Expression; key: Expression };

/** The value of a part of a template, as Resource Manager would calculate it: for the functions that ours uses. */
export function evaluate(json: Json, given: Given): Json {
  if (Array.isArray(json)) return json.map((one) => evaluate(one, given));
  if (json !== null && typeof json === 'object')
    return Object.fromEntries(Object.entries(json).map(([key, one]) => [key, evaluate(one, given)]));
  if (typeof json !== 'string' || !json.startsWith('[')) return json;
  if (json.startsWith('[[')) return json.slice(1);
  return run(read(json.slice(1, -1)), given, {});
}

function run(expression: Expression, given: Given, locals: Locals): Json {
  const value = (one: Expression | undefined, inner = locals): Json => (one ? run(one, given, inner) : null);
  if (expression.kind === 'value') return expression.value;
  if (expression.kind === 'member') {
    const of = value(expression.of) as Fields;
    const key = String(value(expression.key));
    if (of === null || typeof of !== 'object' || !(key in of)) throw new Error(`there is no ${key}`);
    return of[key] as Json;
  }
  const { name, args } = expression;
  const lambda = (one: Expression | undefined): Lambda => {
    if (one?.kind !== 'call' || one.name !== 'lambda') throw new Error('not a lambda');
    return { names: one.args.slice(0, -1).map((each) => String(value(each))), body: one.args.at(-1) as Expression };
  };
  if (name === 'if') return value(value(args[0]) ? args[1] : args[2]);
  if (name === 'map') {
    const { names, body } = lambda(args[1]);
    return (value(args[0]) as Json[]).map((item) => value(body, { ...locals, [names[0] ?? '']: item }));
  }
  if (name === 'filter') {
    const { names, body } = lambda(args[1]);
    return (value(args[0]) as Json[]).filter((item) => value(body, { ...locals, [names[0] ?? '']: item }));
  }
  if (name === 'lambdaVariables') return locals[String(value(args[0]))] ?? null;
  const found = FUNCTIONS[name];
  if (!found) throw new Error(`no function ${name}`);
  return found(
    args.map((arg) => value(arg)),
    given,
  );
}

const text = (value: Json | undefined): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

const FUNCTIONS: Record<string, (args: Json[], given: Given) => Json> = {
  parameters: ([name], { parameters }) => {
    if (!(text(name) in parameters)) throw new Error(`no parameter ${text(name)}`);
    return parameters[text(name)] as Json;
  },
  variables: ([name], given) => evaluate(given.variables[text(name)] as Json, given),
  reference: ([name], { reference }) => reference(text(name)),
  format: ([pattern, ...values]) =>
    text(pattern).replace(/\{\{|\}\}|\{(\d+)\}/g, (all, at) =>
      at === undefined ? (all[0] ?? '') : text(values[Number(at)]),
    ),
  concat: (args) => (Array.isArray(args[0]) ? (args as Json[][]).flat() : args.map(text).join('')),
  createArray: (args) => args,
  createObject: (args) =>
    Object.fromEntries(args.flatMap((key, at) => (at % 2 === 0 ? [[text(key), args[at + 1] as Json]] : []))),
  union: ([first, ...rest]) =>
    Array.isArray(first)
      ? [...new Set([first, ...(rest as Json[][])].flat())]
      : (Object.assign({}, first, ...(rest as Fields[])) as Fields),
  coalesce: (args) => args.find((one) => one !== null) ?? null,
  tryGet: ([of, key]) => (of as Fields)?.[text(key)] ?? null,
  empty: ([of]) => of === null || (typeof of === 'object' ? Object.keys(of).length === 0 : text(of) === ''),
  flatten: ([of]) => (of as Json[][]).flat(),
  last: ([of]) => (of as Json[]).at(-1) ?? null,
  string: ([of]) => text(of),
  toLower: ([of]) => text(of).toLowerCase(),
  replace: ([of, what, by]) => text(of).replaceAll(text(what), text(by)),
  split: ([of, by]) => text(of).split(text(by)),
  join: ([of, by]) => (of as Json[]).map(text).join(text(by)),
  take: ([of, count]) => (Array.isArray(of) ? of.slice(0, Number(count)) : text(of).slice(0, Number(count))),
  equals: ([a, b]) => a === b,
  not: ([a]) => !a,
  and: (args) => args.every(Boolean),
  or: (args) => args.some(Boolean),
  true: () => true,
  false: () => false,
  null: () => null,
  uniqueString: () => 'abcdefghijklm',
  resourceId: ([type, ...names]) => `${GROUP}/providers/${text(type)}/${names.map(text).join('/')}`,
  resourceGroup: () => ({ id: GROUP, name: 'keys', location: 'westeurope' }),
  subscription: () => ({ subscriptionId: SUBSCRIPTION }),
  tenant: () => ({ tenantId: '00000000-0000-0000-0000-0000000000aa' }),
  environment: (_, { cloud }) => ({ name: cloud, ...(ENVIRONMENTS[cloud] as Fields) }),
};

/** What Resource Manager says of each cloud: `az cloud show`. */
const ENVIRONMENTS: Record<string, Fields> = {
  AzureCloud: {
    resourceManager: 'https://management.azure.com/',
    suffixes: { storage: 'core.windows.net', keyvaultDns: '.vault.azure.net' },
    authentication: { loginEndpoint: 'https://login.microsoftonline.com/' },
  },
  AzureUSGovernment: {
    resourceManager: 'https://management.usgovcloudapi.net/',
    suffixes: { storage: 'core.usgovcloudapi.net', keyvaultDns: '.vault.usgovcloudapi.net' },
    authentication: { loginEndpoint: 'https://login.microsoftonline.us/' },
  },
  AzureChinaCloud: {
    resourceManager: 'https://management.chinacloudapi.cn/',
    suffixes: { storage: 'core.chinacloudapi.cn', keyvaultDns: '.vault.azure.cn' },
    authentication: { loginEndpoint: 'https://login.chinacloudapi.cn/' },
  },
};

const SUBSCRIPTION = '00000000-0000-0000-0000-000000000000';
export const GROUP = `/subscriptions/${SUBSCRIPTION}/resourceGroups/keys`;

/** Reads `format('a-{0}', parameters('b').c)`. */
function read(source: string): Expression {
  let at = 0;
  const blank = () => {
    while (source[at] === ' ') at++;
  };
  const whole = (): Expression => {
    blank();
    let found = first();
    for (;;) {
      if (source[at] === '.') {
        const name = /^\.(\w+)/.exec(source.slice(at))?.[1] ?? '';
        at += name.length + 1;
        found = { kind: 'member', of: found, key: { kind: 'value', value: name } };
      } else if (source[at] === '[') {
        at++;
        const key = whole();
        at++;
        found = { kind: 'member', of: found, key };
      } else return found;
    }
  };
  const first = (): Expression => {
    const quoted = /^'((?:[^']|'')*)'/.exec(source.slice(at));
    if (quoted) {
      at += quoted[0].length;
      return { kind: 'value', value: (quoted[1] ?? '').replaceAll("''", "'") };
    }
    const number = /^-?\d+/.exec(source.slice(at))?.[0];
    if (number) {
      at += number.length;
      return { kind: 'value', value: Number(number) };
    }
    const name = /^\w+\(/.exec(source.slice(at))?.[0];
    if (!name) throw new Error(`cannot read ${source.slice(at, at + 40)}`);
    at += name.length;
    const args: Expression[] = [];
    blank();
    while (source[at] !== ')') {
      args.push(whole());
      blank();
      if (source[at] === ',') at++;
      blank();
    }
    at++;
    return { kind: 'call', name: name.slice(0, -1), args };
  };
  return whole();
}
