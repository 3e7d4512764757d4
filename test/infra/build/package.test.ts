import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ignoring, packageFiles } from '../../../infra/build/package-files.ts';
import { type ZipEntry, zip } from '../../../infra/build/zip.ts';
import { ROOT } from '../azure/template.ts';

const funcignore = readFileSync(`${ROOT}.funcignore`, 'utf8');

test.each([
  ['host.json', true],
  ['package.json', true],
  ['dist/functions/main.js', true],
  ['dist/functions/chunk-ABC.js', true],
  ['dist/functions/main.js.map', false],
  ['dist/local', false],
  ['dist/tools', false],
  ['dist/package.zip', false],
  ['functions', false],
  ['shared', false],
  ['infra', false],
  ['test', false],
  ['node_modules', false],
  ['local.settings.json', false],
  ['local.settings.sample.json', false],
  ['.git', false],
  ['.env', false],
  ['azure.yaml', false],
])('of a checkout, %s is shipped: %s', (path, shipped) => {
  expect(ignoring(funcignore)(path)).toBe(!shipped);
});

test('only the manifest, the host file and the bundle are shipped', () => {
  const folder = mkdtempSync(join(tmpdir(), 'package-'));
  const files = ['.funcignore', 'host.json', 'package.json', 'local.settings.json', 'README.md', 'LICENSE'];
  const nested = ['dist/functions/main.js', 'dist/functions/main.js.map', 'dist/local/start.js', 'shared/config.ts'];
  for (const path of [...files, ...nested, 'node_modules/a/index.js', 'functions/main.ts']) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), path === '.funcignore' ? funcignore : '');
  }
  expect(packageFiles(folder)).toEqual(['dist/functions/main.js', 'host.json', 'package.json']);
  rmSync(folder, { recursive: true });
});

const entries = fc.uniqueArray(
  fc.record({ path: fc.stringMatching(/^[a-z]{1,8}(\/[a-zé]{1,8}){0,2}\.js$/), bytes: fc.uint8Array() }),
  { selector: ({ path }) => path, maxLength: 8 },
);

test('every file comes out of the archive as it went in', () => {
  fc.assert(
    fc.property(entries, (files) => {
      expect(unzip(zip(files))).toEqual(files.toSorted((a, b) => (a.path < b.path ? -1 : 1)));
    }),
  );
});

test('the same files make the same archive, in whatever order', () => {
  fc.assert(
    fc.property(entries, (files) => {
      expect(zip(files.toReversed()).equals(zip(files))).toBe(true);
    }),
  );
});

test.skipIf(spawnSync('unzip', ['-v']).error !== undefined)('another program reads the archive', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zip-'));
  const path = join(folder, 'a.zip');
  writeFileSync(path, zip([{ path: 'dist/main.js', bytes: Buffer.from('export {}'.repeat(50)) }]));
  expect(execFileSync('unzip', ['-t', path], { encoding: 'utf8' })).toContain('No errors');
  rmSync(folder, { recursive: true });
});

/** Reads an archive from its directory at the end, as programs do. */
function unzip(archive: Buffer): ZipEntry[] {
  const end = archive.length - 22;
  const count = archive.readUInt16LE(end + 10);
  let at = archive.readUInt32LE(end + 16);
  return Array.from({ length: count }, () => {
    const packed = archive.readUInt32LE(at + 20);
    const nameLength = archive.readUInt16LE(at + 28);
    const path = archive.toString('utf8', at + 46, at + 46 + nameLength);
    const local = archive.readUInt32LE(at + 42);
    const from = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    at += 46 + nameLength;
    return { path, bytes: new Uint8Array(inflateRawSync(archive.subarray(from, from + packed))) };
  });
}
