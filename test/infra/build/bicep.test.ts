// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Bicep writes so what it puts into a text.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileBicep } from '../../../infra/build/bicep/compile.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bicep-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

type Compiled = Record<string, Record<string, Record<string, unknown>>>;

function compile(source: string, beside: Record<string, string> = {}): Compiled {
  for (const [name, text] of Object.entries({ ...beside, 'main.bicep': source }))
    writeFileSync(join(folder, name), text);
  return compileBicep(join(folder, 'main.bicep'), folder) as unknown as Compiled;
}

const variable = (expression: string) => compile(`param p object\nvar v = ${expression}\n`).variables?.v;

describe('expressions', () => {
  test.each([
    ["'text'", 'text'],
    ["'[not an expression'", '[[not an expression'],
    ['12', 12],
    ['-3', -3],
    ['true', true],
    ['null', null],
    ["[1, 'two', false]", [1, 'two', false]],
    ["{ a: 1, 'b-c': [] }", { a: 1, 'b-c': [] }],
    ['p.name', "[parameters('p').name]"],
    ['p.?name', "[tryGet(parameters('p'), 'name')]"],
    ["p['name']", "[parameters('p')['name']]"],
    ["p.?name ?? 'x'", "[coalesce(tryGet(parameters('p'), 'name'), 'x')]"],
    ["'a-${p.name}-b'", "[format('a-{0}-b', parameters('p').name)]"],
    ["'{${p.name}}'", "[format('{{{0}}}', parameters('p').name)]"],
    ["'it\\'s ${p.name}'", "[format('it''s {0}', parameters('p').name)]"],
    ['1 + 2 * 3', '[add(1, mul(2, 3))]'],
    ['(1 + 2) * 3', '[mul(add(1, 2), 3)]'],
    [
      "p.a == 'x' && !p.b || p.c",
      "[or(and(equals(parameters('p').a, 'x'), not(parameters('p').b)), parameters('p').c)]",
    ],
    ["p.a != 'x'", "[not(equals(parameters('p').a, 'x'))]"],
    ['p.a ? 1 : p.b ? 2 : 3', "[if(parameters('p').a, 1, if(parameters('p').b, 2, 3))]"],
    ['map(p.list, one => one.name)', "[map(parameters('p').list, lambda('one', lambdaVariables('one').name))]"],
    ['[for one in p.list: one.name]', "[map(parameters('p').list, lambda('one', lambdaVariables('one').name))]"],
    ["[...p.list, 'x']", "[concat(parameters('p').list, createArray('x'))]"],
    ['{ ...p, a: 1 }', "[shallowMerge(createArray(parameters('p'), createObject('a', 1)))]"],
    ["'''\nas it is'''", 'as it is'],
  ])('%s', (source, expected) => {
    expect(variable(source)).toEqual(expected);
  });

  test('any text comes back as it was written', () => {
    const escaped = (text: string) =>
      text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n').replaceAll('${', '\\${');
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\r')),
        (text) => {
          const found = variable(`'${escaped(text)}'`) as unknown as string;
          expect(found).toBe(text.startsWith('[') ? `[${text}` : text);
        },
      ),
    );
  });

  test('any plain value comes back as it was written', () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/);
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        word,
        fc.nat(1000),
        fc.boolean(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(word, tie('value'), { maxKeys: 3 }),
      ),
    }));
    const written = (one: unknown): string => {
      if (typeof one === 'string') return `'${one}'`;
      if (Array.isArray(one)) return `[${one.map(written).join(', ')}]`;
      if (typeof one !== 'object') return String(one);
      return `{ ${Object.entries(one as object)
        .map(([key, each]) => `'${key}': ${written(each)}`)
        .join(', ')} }`;
    };
    fc.assert(
      fc.property(value, (one) => {
        expect(variable(written(one))).toEqual(one);
      }),
    );
  });
});

describe('statements', () => {
  const VAULT = 'Microsoft.KeyVault/vaults@2024-11-01';
  const resource = (source: string, name = 'it') => compile(source).resources?.[name];

  test('a parameter with its rules', () => {
    expect(compile("@description('Days.')\n@minValue(1)\nparam days int = 7\n").parameters?.days).toEqual({
      type: 'int',
      defaultValue: 7,
      minValue: 1,
      metadata: { description: 'Days.' },
    });
  });

  test('a resource, its id and its answers', () => {
    const { resources, outputs } = compile(
      `param name string\nresource it '${VAULT}' = {\n  name: name\n  properties: { a: 1 }\n}\noutput id string = it.id\noutput uri string = it.properties.vaultUri\n`,
    );
    expect(resources?.it).toEqual({
      type: 'Microsoft.KeyVault/vaults',
      apiVersion: '2024-11-01',
      name: "[parameters('name')]",
      properties: { a: 1 },
    });
    expect(outputs).toEqual({
      id: { type: 'string', value: "[resourceId('Microsoft.KeyVault/vaults', parameters('name'))]" },
      uri: { type: 'string', value: "[reference('it').vaultUri]" },
    });
  });

  test('a child names its parents, and waits for them', () => {
    const child = resource(
      `resource up '${VAULT}' existing = {\n  name: 'contoso'\n}\nresource it 'Microsoft.KeyVault/vaults/secrets@2024-11-01' existing = {\n  parent: up\n  name: 'mail'\n}\n`,
    );
    expect(child).toMatchObject({ name: "[format('{0}/{1}', 'contoso', 'mail')]", existing: true, dependsOn: ['up'] });
  });

  test('a resource on another one takes its scope', () => {
    const lock = resource(
      `resource up '${VAULT}' existing = {\n  name: 'contoso'\n}\nresource it 'Microsoft.Authorization/locks@2020-05-01' = {\n  scope: up\n  name: 'keep'\n}\n`,
    );
    expect(lock).toMatchObject({ scope: "[resourceId('Microsoft.KeyVault/vaults', 'contoso')]", dependsOn: ['up'] });
  });

  test('a loop with a condition', () => {
    const looped = resource(
      `param list array\nresource it '${VAULT}' = [for one in list: if (one.wanted) {\n  name: one.name\n}]\n`,
    );
    expect(looped).toMatchObject({
      copy: { name: 'it', count: "[length(parameters('list'))]" },
      condition: "[parameters('list')[copyIndex()].wanted]",
      name: "[parameters('list')[copyIndex()].name]",
    });
  });

  test('a module, its parameters, its outputs and its scope', () => {
    const { resources, outputs } = compile(
      "module it 'part.bicep' = {\n  name: 'part'\n  scope: resourceGroup('s', 'g')\n  params: { a: 1 }\n}\noutput out string = it.outputs.b\n",
      { 'part.bicep': "param a int\noutput b string = 'x'\n" },
    );
    expect(resources?.it).toMatchObject({
      type: 'Microsoft.Resources/deployments',
      subscriptionId: 's',
      resourceGroup: 'g',
      properties: { parameters: { a: { value: 1 } }, expressionEvaluationOptions: { scope: 'inner' } },
    });
    expect(outputs?.out?.value).toBe("[reference('it').outputs.b.value]");
  });
});

describe('what it does not know, or Bicep forbids, it refuses by name and place', () => {
  const account = "resource it 'Microsoft.KeyVault/vaults@2024-11-01' existing = {\n  name: 'a'\n}\n";
  test.each([
    ['type t = string\n', 'main.bicep:1:1: the statement type is not supported'],
    ['var v = listKeys(1)\n', 'main.bicep:1:9: the function listKeys is not supported'],
    ['var v = unknown\n', 'main.bicep:1:9: nothing is called unknown'],
    ["var v = 'never ends\n", 'main.bicep:1:9: this text never ends'],
    ["var v = 'a\\q'\n", 'main.bicep:1:11: unknown escape \\q'],
    ['var v = [1 2]\n', 'main.bicep:1:12: expected a comma, a new line or ]'],
    ['var v = [\n  1,\n  2\n]\n', 'main.bicep:2:5: unexpected new line after a comma'],
    ['var v = 1\nvar v = 2\n', 'main.bicep:2:1: v is declared twice'],
    ['param p madeUp\n', 'main.bicep:1:1: the type madeUp is not supported'],
    ["targetScope = 'managementGroup'\n", 'main.bicep:1:1: the scope managementGroup is not supported'],
    [`${account}var v = it.properties.vaultUri\n`, 'main.bicep:4:9: the variable v speaks of it'],
    [
      `${account}resource next 'A.B/c@2024-01-01' = {\n  name: it.properties.vaultUri\n}\n`,
      'main.bicep:5:9: a name is calculated at the start',
    ],
    [
      `${account}resource next 'A.B/c@2024-01-01' = if (it.properties.on) {\n  name: 'b'\n}\n`,
      'a condition is calculated at the start',
    ],
    [
      `${account}resource next 'A.B/c@2024-01-01' = [for one in it.properties.list: {\n  name: one\n}]\n`,
      'a loop is calculated at the start',
    ],
    [`${account}output o array = [for one in it.properties.list: one]\n`, 'use map() instead'],
    ["module it 'gone.bicep' = {\n  name: 'x'\n}\n", 'ENOENT'],
    ["module it 'part.bicep' = {\n  name: 'x'\n}\n", 'part.bicep needs the parameter a'],
    ["module it 'part.bicep' = {\n  name: 'x'\n  params: { a: 1, b: 2 }\n}\n", 'part.bicep has no parameter b'],
  ])('%j', (source, refusal) => {
    expect(() => compile(source, { 'part.bicep': 'param a int\n' })).toThrow(refusal);
  });
});
