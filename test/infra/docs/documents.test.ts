import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { jsonSchema, parsePolicy } from '../../../shared/policy/schema.ts';
import { SETTING_NAMES } from '../../../shared/settings.ts';
import { anchorOf, headingsOf, linksOf, markdownFiles, parts, quoted, read, root } from './documents.ts';
import { callsIn, faultOf, spelledOut } from './vocabulary.ts';

const everywhere = markdownFiles();
const ours = everywhere.filter((path) => path.startsWith('infra/docs/'));
/** What is written for people who use the product. */
const forUsers = ['README.md', ...ours, 'infra/azure/README.md'];
const each = (paths: string[], faults: (path: string) => string[]) =>
  paths.flatMap((path) => faults(path).map((fault) => `${path}: ${fault}`));

test('the documents are there', () => {
  expect(ours.length).toBeGreaterThan(0);
  expect(everywhere).toContain('shared/detection/README.md');
});

describe('every document', () => {
  test('links to files and headings that exist', () => {
    expect(
      each(everywhere, (path) =>
        linksOf(path).flatMap(({ text, file, anchor }) => {
          if (!existsSync(resolve(root, file))) return [`no file ${text}`];
          if (anchor === undefined || headingsOf(read(file)).map(anchorOf).includes(anchor)) return [];
          return [`no heading ${text}`];
        }),
      ),
    ).toEqual([]);
  });

  test('names only commands of package.json', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const known = new Set(Object.keys(scripts));
    expect(
      each(everywhere, (path) =>
        [...read(path).matchAll(/npm run (?:--silent )?([a-z][a-z:]*)/g)].flatMap(([, name = '']) =>
          known.has(name) ? [] : [`no command npm run ${name}`],
        ),
      ),
    ).toEqual([]);
  });

  test('names only settings of the schema', () => {
    const known = new Set<string>(SETTING_NAMES);
    expect(
      each(everywhere, (path) =>
        [...read(path).matchAll(/\bMHSM_[A-Za-z_]+/g)].flatMap(([name]) =>
          known.has(name) ? [] : [`no setting ${name}`],
        ),
      ),
    ).toEqual([]);
  });
});

describe('what is written for users', () => {
  test('names only routes of the operator API, by a method and a person that they take', () => {
    const calls = forUsers.flatMap((path) => callsIn(read(path)));
    expect(calls.length).toBeGreaterThan(20);
    expect(each(forUsers, (path) => callsIn(read(path)).flatMap((call) => faultOf(call) ?? []))).toEqual([]);
  });

  test('names only reasons, events, notices and codes that the code knows', () => {
    // Not those of the deployment, which names things of Azure as well.
    const known = spelledOut();
    const word = /^(?:[A-Z][a-z]+){2,}$|^ERR_[A-Z_]+$/;
    expect(
      each(['README.md', ...ours], (path) =>
        quoted(read(path)).flatMap((text) =>
          word.test(text) && !known.has(text) ? [`nothing is called ${text}`] : [],
        ),
      ),
    ).toEqual([]);
  });

  test('names only fields that the policy has', () => {
    const section =
      /^(rotation|notice|backup|drills|custody|recovery|geography|response|detection|owners)(\.[A-Za-z0-9-]+)+$/;
    expect(
      each(forUsers, (path) =>
        quoted(read(path)).flatMap((text) => (section.test(text) && !isPolicyField(text) ? [`no field ${text}`] : [])),
      ),
    ).toEqual([]);
  });

  test.each(['infra/docs/first-policy.json', 'infra/docs/observe-only.json', 'infra/local/seed/demo-policy.json'])(
    'shows a policy that parses: %s',
    (path) => {
      expect(parsePolicy(read(path))).toMatchObject({ kind: 'valid' });
    },
  );

  test('is short: no document of the folder is longer than 160 lines, and no line than 130 characters outside tables', () => {
    expect(
      each(ours, (path) => {
        const lines = read(path).split('\n');
        const long = parts(read(path)).prose.filter((line) => line.length > 130 && !line.startsWith('|'));
        return [...(lines.length > 160 ? [`${lines.length} lines`] : []), ...long];
      }),
    ).toEqual([]);
  });
});

interface Schema {
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  anyOf?: Schema[];
  oneOf?: Schema[];
}

/** A dotted path through the policy's JSON Schema; `rotation` and `notice` stand in `defaults`. */
function isPolicyField(text: string): boolean {
  const start = jsonSchema() as Schema;
  const path = /^(rotation|notice)\./.test(text) ? ['defaults', ...text.split('.')] : text.split('.');
  const step = (schemas: Schema[], name: string): Schema[] =>
    schemas.flatMap((schema) => [
      ...(schema.properties?.[name] === undefined ? [] : [schema.properties[name]]),
      ...(typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : []),
      ...step([...(schema.anyOf ?? []), ...(schema.oneOf ?? [])], name),
    ]);
  return path.reduce((schemas, name) => (schemas.length === 0 ? [] : step(schemas, name)), [start]).length > 0;
}
