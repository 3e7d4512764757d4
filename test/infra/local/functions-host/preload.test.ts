import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorkshop, type Workshop } from './support.ts';

let workshop: Workshop;

beforeAll(async () => {
  workshop = await openWorkshop([]);
});

afterAll(() => workshop.dispose());

const program = `
  import dns, { lookup } from 'node:dns';
  import { promisify } from 'node:util';
  const ask = (name, options) => new Promise((done) => lookup(name, options, (...answer) => done(answer)));
  console.log(JSON.stringify({
    hsm: await ask('contoso.managedhsm.azure.net', {}),
    all: await ask('Contoso.ManagedHSM.azure.net.', { all: true }),
    bare: await new Promise((done) => lookup('account.blob.localhost', (...answer) => done(answer))),
    extra: await dns.promises.lookup('named.example', { all: true }),
    promised: await dns.promises.lookup('x.localhost'),
    promisified: await promisify(lookup)('x.localhost'),
    other: await ask('127.0.0.2', {}),
    year: [new Date().getUTCFullYear(), new Date(Date.now()).getUTCFullYear(), new Date(0).getUTCFullYear()],
  }));
  process.exit(0);
`;

const runPreloaded = (env: Record<string, string>) =>
  promisify(execFile)(
    process.execPath,
    ['--import', join(workshop.folder, 'preload.mjs'), '--input-type=module', '--eval', program],
    { env: { PATH: process.env.PATH, ...env } },
  );

test('the preload turns estate names to loopback in every form of lookup, and moves Date', async () => {
  const offset = Date.UTC(2040, 5, 1) - Date.now();
  const { stdout } = await runPreloaded({
    ESTATE_CLOCK_OFFSET_MS: String(offset),
    ESTATE_LOOPBACK_NAMES: 'named.example',
  });
  const loopback = { address: '127.0.0.1', family: 4 };
  expect(JSON.parse(stdout)).toEqual({
    hsm: [null, '127.0.0.1', 4],
    all: [null, [loopback]],
    bare: [null, '127.0.0.1', 4],
    extra: [loopback],
    promised: loopback,
    promisified: loopback,
    other: [null, '127.0.0.2', 4],
    year: [2040, 2040, 1970],
  });
});

test('the preload refuses to load on Azure', async () => {
  await expect(runPreloaded({ WEBSITE_INSTANCE_ID: 'x' })).rejects.toThrow('WEBSITE_INSTANCE_ID is set');
});
