import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ROOT, template } from './template.ts';

const azure = `${ROOT}infra/azure/`;

test('the committed template is what the Bicep files say: npm run build:azure writes it', () => {
  const committed = JSON.parse(readFileSync(`${azure}main.json`, 'utf8'));
  expect(committed).toEqual(template);
});

test.each(bicepFiles())('%s uses everything that it declares', (file) => {
  const source = readFileSync(`${azure}${file}`, 'utf8');
  const declared = [...source.matchAll(/^(?:param|var) (\w+)/gm)].map(([, name]) => name ?? '');
  const unused = declared.filter((name) => (source.match(new RegExp(`\\b${name}\\b`, 'g')) ?? []).length < 2);
  expect(unused).toEqual([]);
});

test('every module is used', () => {
  const sources = bicepFiles().map((file) => readFileSync(`${azure}${file}`, 'utf8'));
  const used = new Set(
    sources.flatMap((source) => [...source.matchAll(/^module \w+ '([^']+)'/gm)].map(([, at]) => at)),
  );
  const unused = readdirSync(`${azure}modules`).filter((file) => !used.has(file) && !used.has(`modules/${file}`));
  expect(unused).toEqual([]);
});

const official = spawnSync('bicep', ['--version']).error === undefined;
if (!official) console.log('skipped: no bicep on the PATH, so the official compiler did not read the templates');

test.skipIf(!official)('the official compiler reads the templates without a warning', () => {
  const { status, stderr } = spawnSync('bicep', ['build', '--stdout', `${azure}main.bicep`], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

function bicepFiles(): string[] {
  return ['main.bicep', ...readdirSync(`${azure}modules`).map((file) => `modules/${file}`)];
}
