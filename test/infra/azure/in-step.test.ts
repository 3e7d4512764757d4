import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findBicep, runBicep } from '../../../infra/build/bicep.ts';
import { type Fields, ROOT, template } from './template.ts';

const azure = `${ROOT}infra/azure/`;
const bicep = findBicep(ROOT);
if (!bicep) console.log('skipped: no Bicep compiler; dotnet restore infra/build/bicep.csproj brings it');
const compiled = bicep === undefined ? undefined : runBicep(bicep, ['build', '--stdout', `${azure}main.bicep`]);

test.skipIf(!bicep)('the official compiler and its linter read the Bicep files without a warning', () => {
  expect(compiled).toMatchObject({ status: 0, stderr: '' });
});

test.skipIf(!bicep)('the committed template is what it makes of them: npm run build:azure writes it', () => {
  expect(template).toEqual(JSON.parse(compiled?.stdout ?? ''));
});

/** Without a compiler too, so that nobody forgets the template who changes a Bicep file on such a machine. */
describe('the committed template has, of each Bicep file,', () => {
  const files = [['main.bicep', template] as [string, Fields], ...calls('main.bicep', template)];

  test.each(files)('the parameters of %s', (file, made) => {
    expect(Object.keys((made.parameters ?? {}) as Fields)).toEqual(found(file, /^param (\w+)/gm));
  });

  test.each(files)('the resources of %s, in the same versions', (file, made) => {
    const resources = Object.entries(made.resources as Record<string, Fields>)
      .filter(([, { type }]) => type !== 'Microsoft.Resources/deployments')
      .map(([name, { type, apiVersion }]) => `${name} '${type}@${apiVersion}`);
    expect(resources.toSorted()).toEqual(found(file, /^resource (\w+ '[^']+)/gm).toSorted());
  });

  test.each(files)('the modules of %s', (file, made) => {
    expect(calls(file, made, false).map(([path]) => path)).toEqual(called(file).map(([, path]) => path));
  });
});

test.each(bicepFiles())('%s uses everything that it declares', (file) => {
  const source = readFileSync(`${azure}${file}`, 'utf8');
  const declared = found(file, /^(?:param|var) (\w+)/gm);
  const unused = declared.filter((name) => (source.match(new RegExp(`\\b${name}\\b`, 'g')) ?? []).length < 2);
  expect(unused).toEqual([]);
});

test('every module is used', () => {
  const used = new Set(bicepFiles().flatMap((file) => called(file).map(([, path]) => path)));
  expect(bicepFiles().filter((file) => !used.has(file))).toEqual(['main.bicep']);
});

function found(file: string, what: RegExp): string[] {
  return [...readFileSync(`${azure}${file}`, 'utf8').matchAll(what)].map(([, name]) => name ?? '');
}

/** [symbolic name, file] of each module that a file calls. */
const called = (file: string) =>
  [...readFileSync(`${azure}${file}`, 'utf8').matchAll(/^module (\w+) '([^']+)'/gm)].map(
    ([, name = '', path = '']) => [name, posix.join(posix.dirname(file), path)] as const,
  );

/** The modules that a file calls, and those that they call, with what they were compiled to. */
function calls(file: string, made: Fields, deep = true): [string, Fields][] {
  const resources = made.resources as Record<string, { properties?: { template?: Fields } }>;
  return called(file).flatMap(([name, path]): [string, Fields][] => {
    const inner = resources[name]?.properties?.template;
    return inner ? [[path, inner], ...(deep ? calls(path, inner) : [])] : [];
  });
}

function bicepFiles(): string[] {
  return readdirSync(azure, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.bicep'));
}
