import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runVerification } from '../../../infra/tools/journal-verification.ts';
import { chainLine, GENESIS } from '../../../shared/journal/chain.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
let folder: string;
let lines: string[];
let lastHash: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'journal-'));
  lastHash = GENESIS;
  lines = ['one', 'two', 'three', 'four'].map((id) => {
    const identity = { duty: 'rotate', clientId: 'c' };
    const about = { class: 'key.rotate', hsm: 'contoso', target: 'keys/orders', cause: 'sweep', instance: 'i' };
    const entry = { id, kind: 'intent' as const, at: '2030-01-31T00:00:00Z', identity, ...about };
    const chained = chainLine(lastHash, entry, sha256);
    lastHash = chained.hash;
    return chained.line;
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function verify(files: Record<string, string[]>, ...more: string[]) {
  const dir = await mkdtemp(join(folder, 'case-'));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), content.map((line) => `${line}\n`).join(''));
  }
  return run('--dir', dir, ...more);
}

async function run(...args: string[]) {
  const printed: string[] = [];
  const print = (text: string) => void printed.push(text);
  const code = await runVerification(args, { log: print, error: print });
  return { code, text: printed.join('\n') };
}

test('an unbroken journal over several blobs exits 0 and tells what was announced and not answered', async () => {
  const files = {
    '2030/01/31.jsonl': lines.slice(0, 2),
    '2030/01/31-2.jsonl': lines.slice(2, 3),
    '2030/02/01.jsonl': lines.slice(3),
  };
  const { code, text } = await verify({ ...files, 'README.md': ['not a blob of the journal'] }, '--expect', lastHash);
  expect(code).toBe(0);
  expect(text).toContain('unbroken: 4 line(s) in 3 blob(s)');
  expect(text).toContain('Announced and not answered: 4');
});

test('a changed line exits 1 and is named by blob and line', async () => {
  const changed = lines.map((line) => line.replace('"two"', '"2"'));
  const { code, text } = await verify({ '2030/01/31.jsonl': changed });
  expect(code).toBe(1);
  expect(text).toContain('BROKEN at 2030/01/31.jsonl, line 2: HashMismatch');
});

test('a missing blob exits 1', async () => {
  const { code, text } = await verify({ '2030/01/30.jsonl': lines.slice(0, 1), '2030/02/01.jsonl': lines.slice(2) });
  expect([code, text.includes('LinkMismatch')]).toEqual([1, true]);
});

test('a journal that was cut short exits 1 when the last hash is known', async () => {
  const { code, text } = await verify({ '2030/01/31.jsonl': lines.slice(0, 3) }, '--expect', lastHash);
  expect([code, text.includes('EndsEarly')]).toEqual([1, true]);
});

test.each([
  ['no source', []],
  ['two sources', ['--dir', '.', '--account', 'https://a.example']],
  ['an unknown option', ['--folder', '.']],
])('%s exits 2 and shows the usage', async (_, args) => {
  const { code, text } = await run(...args);
  expect([code, text.includes('Usage:')]).toEqual([2, true]);
});

test('a folder without a journal, or none at all, exits 2', async () => {
  expect((await verify({})).code).toBe(2);
  expect((await run('--dir', join(folder, 'absent'))).code).toBe(2);
});
