import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';

/** What infra/build wrote of the bundle that ships. Paths of outputs are relative to the root. */
export const shippedMetafile = (root: string): Metafile =>
  JSON.parse(readFileSync(join(root, 'dist/local/app-meta.json'), 'utf8'));

export const MAIN = 'dist/functions/main.js';

/** The files that loading `entry` loads, itself first. */
export function loadedWith({ outputs }: Metafile, entry: string): string[] {
  const seen = new Set<string>();
  const follow = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const { path, kind, external } of outputs[file]?.imports ?? []) {
      if (!external && kind === 'import-statement') follow(path);
    }
  };
  follow(entry);
  return [...seen];
}

/** The modules of ours that are loaded late, each with the file in which it lies. */
export const lateModules = ({ outputs }: Metafile): Record<string, string> =>
  Object.fromEntries(
    Object.entries(outputs).flatMap(([file, { entryPoint }]) => {
      const module = /^late:((?:functions|shared)\/.*)$/.exec(entryPoint ?? '')?.[1];
      return module === undefined ? [] : [[module, file]];
    }),
  );

/** Sources and packages in these files: ours as paths from the root, packages by name. */
export function contentsOf({ outputs }: Metafile, files: string[]): { ours: string[]; packages: string[] } {
  const kept = files.flatMap((file) =>
    Object.entries(outputs[file]?.inputs ?? {}).flatMap(([input, { bytesInOutput }]) =>
      bytesInOutput > 0 ? [input] : [],
    ),
  );
  const packages = kept.flatMap((input) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? []);
  return { ours: kept.filter((input) => /^(functions|shared)\//.test(input)), packages: [...new Set(packages)].sort() };
}

/** An app of one timer and one orchestration through the libraries of ours, bundled the same way. */
export async function buildEmptyApp(root: string, outfile: string, how: { write?: boolean } = {}): Promise<Metafile> {
  const { metafile } = await build({
    ...how,
    stdin: {
      contents: `
        import { app } from '@azure/functions';
        import * as df from 'durable-functions';
        app.timer('nothing', { schedule: '0 0 * * * *', extraInputs: [df.input.durableClient()], handler: () => {} });
        df.app.orchestration('nothing2', function* () {});
      `,
      resolveDir: root,
      loader: 'ts',
    },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minify: true,
    keepNames: true,
    metafile: true,
    external: ['@azure/functions-core'],
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
  });
  return metafile;
}

export interface Loaded {
  /** How long loading took, and how much of a processor: the same on a busy machine. */
  ms: number;
  processorMs: number;
  /** Names of the functions that it registered. */
  functions: string[];
  /** Further modules that could not be loaded, and why. */
  failed: string[];
}

/** Loads an app in a process of its own as the worker does, then modules of it. Throws when the app does not load. */
export function loadBundle(
  root: string,
  settings: Record<string, string>,
  main: string,
  further: string[] = [],
): Loaded {
  const run = spawnSync(process.execPath, [join(root, 'test/support/load-bundle.mjs'), main, ...further], {
    env: { ...process.env, ...settings },
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`loading ${main}: ${run.stderr || run.stdout}`);
  return JSON.parse(run.stdout);
}

/** The settings of local.settings.sample.json. */
export function sampleSettings(root: string): Record<string, string> {
  return JSON.parse(readFileSync(join(root, 'local.settings.sample.json'), 'utf8')).Values;
}
