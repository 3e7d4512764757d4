import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import { parts, read } from '../infra/docs/documents.ts';
import { firstUnseen, runBlocks, runnable } from '../infra/docs/run-blocks.ts';
import { bootEstate } from './support.ts';

const DOCUMENT = 'infra/docs/getting-started.md';
/** The one thing that is put in for the reader's: the address that they choose with --port. */
const CONTROL = 'http://127.0.0.1:7700';

const missing = ['sh', 'curl', 'openssl'].filter((name) => spawnSync(name, ['-c', ':']).error !== undefined);
if (missing.length > 0) console.warn(`Not run, because this machine lacks ${missing.join(', ')}: ${DOCUMENT}`);

describe.skipIf(missing.length > 0)(`the laptop part of ${DOCUMENT}`, () => {
  let estate: RunningEstate;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mhsm-docs-'));
    ({ estate } = await bootEstate({ seed: 'infra/docs/first-estate.json' }));
  });
  afterAll(async () => {
    await estate?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('runs as written, and shows what it says', async () => {
    const blocks = runnable(parts(read(DOCUMENT)).blocks);
    expect(blocks.filter(({ shown }) => shown.length > 0).length).toBeGreaterThan(5);
    expect(blocks[0]?.lines[0]).toBe(`export CONTROL=${CONTROL}`);
    const here = blocks.map((block) => ({
      ...block,
      lines: block.lines.map((line) => line.replace(CONTROL, estate.ready.control)),
    }));
    const { outputs, errors, status } = await runBlocks(here, { cwd: folder, env: {} });
    expect({ status, ran: outputs.length, errors }).toEqual({ status: 0, ran: blocks.length, errors: '' });
    const unseen = blocks.flatMap(({ shown }, index) => {
      const line = firstUnseen(shown, outputs[index] ?? '');
      return line === undefined ? [] : [{ line, output: outputs[index] }];
    });
    expect(unseen).toEqual([]);
  });
});
