import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { median, type Row } from './table.ts';

/** Loads a bundle as the worker does and prints the milliseconds it took. */
const LOADER = `
import Module from 'node:module';
import { pathToFileURL } from 'node:url';
const disposable = { dispose() {} };
const core = {
  version: '3.14.1', hostVersion: '4.1052.200', Disposable: class { dispose() {} },
  setProgrammingModel() {}, getProgrammingModel() {}, registerFunction: () => disposable, registerHook: () => disposable, log() {},
};
const original = Module.prototype.require;
Module.prototype.require = function (id) { return id === '@azure/functions-core' ? core : original.apply(this, arguments); };
const startedAt = performance.now();
await import(pathToFileURL(process.argv[2]).href);
console.log(performance.now() - startedAt);
`;

const EMPTY_APP = `
import { app } from '@azure/functions';
import * as df from 'durable-functions';
app.timer('nothing', { schedule: '0 0 * * * *', extraInputs: [df.input.durableClient()], handler: () => {} });
df.app.orchestration('nothing2', function* () {});
`;

const ROUNDS = 15;

/** Load time of the shipped bundle as a ratio to an empty app through the same libraries, bundled the same way. */
export async function loadTime(root: string, settings: Record<string, string>): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-load-'));
  try {
    const loader = join(directory, 'load.mjs');
    writeFileSync(loader, LOADER);
    const empty = join(directory, 'empty.mjs');
    await build({
      stdin: { contents: EMPTY_APP, resolveDir: root, loader: 'ts' },
      outfile: empty,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      minify: true,
      keepNames: true,
      external: ['@azure/functions-core'],
      banner: {
        js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
      },
    });
    const shipped = join(root, 'dist/functions/main.js');
    const once = (bundle: string) => {
      const run = spawnSync(process.execPath, [loader, bundle], {
        env: { ...process.env, ...settings },
        encoding: 'utf8',
      });
      const ms = Number(run.stdout.trim());
      if (run.status !== 0 || Number.isNaN(ms)) throw new Error(`loading ${bundle}: ${run.stderr || run.stdout}`);
      return ms;
    };
    once(empty);
    once(shipped);
    // Taken in turns, so that whatever else the machine does meets both alike.
    const times = Array.from({ length: ROUNDS }, () => ({ empty: once(empty), shipped: once(shipped) }));
    const [base, ours] = [median(times.map((each) => each.empty)), median(times.map((each) => each.shipped))];
    return [
      [
        'load time of the bundle, as a ratio to an empty app',
        `${(ours / base).toFixed(2)} x`,
        `${ours.toFixed(0)} ms and ${base.toFixed(0)} ms`,
      ],
      ...bundleSize(join(root, 'dist/functions')),
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function bundleSize(folder: string): Row[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
  const size = (name: string) => statSync(join(folder, name)).size;
  const eager = new Set<string>();
  const follow = (name: string) => {
    if (eager.has(name)) return;
    eager.add(name);
    const source = readFileSync(join(folder, name), 'utf8');
    for (const [, to] of source.matchAll(/(?:^|[;}\n])(?:import|export)[^'"()]*?["']\.\/([^"']+)["']/g))
      if (to) follow(to);
  };
  follow('main.js');
  const total = files.reduce((sum, name) => sum + size(name), 0);
  const atStart = [...eager].reduce((sum, name) => sum + size(name), 0);
  return [
    ['bundle, all chunks', `${megabytes(total)} MB`, `${files.length} files`],
    ['bundle, loaded at start', `${megabytes(atStart)} MB`, `${eager.size} files`],
  ];
}

const megabytes = (bytes: number) => (bytes / 1_048_576).toFixed(2);
