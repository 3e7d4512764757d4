// Builds what ships (dist/functions) and the embedded estate (dist/local, dist/tools).
//
// The app is one ESM bundle with splitting: activities, the operator API and SDKs sit in chunks that are loaded at first use.
// @azure/functions-core exists only inside the Functions worker, so it stays an external require; the banner gives the
// CommonJS packages inside the bundle a `require`.
import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { eagerInOneChunk } from './eager.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const from = (path) => `${root}${path}`;

const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // Queries are kept as files that editors and the checker understand.
  loader: { '.kql': 'text' },
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
  metafile: true,
};

const app = await build({
  ...common,
  entryPoints: ['functions/main.ts'],
  outdir: 'dist/functions',
  splitting: true,
  minify: true,
  keepNames: true,
  external: ['@azure/functions-core'],
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
  legalComments: 'linked',
  plugins: [eagerInOneChunk(root, 'functions/main.ts')],
  // Packages without a default, of which the plugin cannot know. Of our own code the compiler does.
  logOverride: { 'import-is-undefined': 'silent' },
});

/** The estate runs from the checkout, so its packages stay where npm put them. */
const estate = Object.entries({
  'local/start': 'infra/local/start.ts',
  'local/host': 'infra/local/functions-host/main.ts',
  'local/preload': 'infra/local/functions-host/preload.ts',
  'local/scenario': 'infra/local/scenarios/run.ts',
  'local/bench': 'test/bench/run.ts',
  'local/bench-copy': 'test/bench/copy-child.ts',
  'local/bench-detection': 'test/bench/detection-child.ts',
  'tools/verify-journal': 'infra/tools/verify-journal.ts',
  'tools/azure': 'infra/build/azure.ts',
  'tools/package': 'infra/build/package.ts',
  'tools/set-up': 'infra/tools/set-up.ts',
  'tools/evaluate': 'infra/evaluation/run.ts',
}).filter(([, source]) => existsSync(from(source)));

const local = await build({
  ...common,
  entryPoints: Object.fromEntries(estate),
  outdir: 'dist',
  packages: 'external',
  splitting: true,
  chunkNames: 'local/chunks/[name]-[hash]',
});

// What went where, for the tests and figures of what the app loads at start.
await writeFile(from('dist/local/app-meta.json'), JSON.stringify(app.metafile));

// What an earlier build left is removed last, file by file, so that a host that runs from dist never misses a chunk it has.
const outputs = [app, local].flatMap(({ metafile }) => Object.keys(metafile.outputs));
const built = new Set([...outputs, 'dist/local/app-meta.json']);
for (const entry of await readdir(from('dist'), { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (entry.isFile() && !built.has(path.slice(root.length))) await rm(path);
}
