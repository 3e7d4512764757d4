import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll } from 'vitest';
import { inProject } from '../../../../infra/local/project.ts';

/** The host, a launcher and the fixture app, built as infra/build/build.mjs builds the real ones; gone after the tests. */
export async function buildWorkshop() {
  // Inside the project, so that the bundles find its packages.
  await mkdir(inProject('node_modules/.cache'), { recursive: true });
  const directory = await mkdtemp(inProject('node_modules/.cache/estate-'));
  afterAll(() => rm(directory, { recursive: true, force: true }));
  const appRoot = join(directory, 'app');
  const common = {
    absWorkingDir: inProject(),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
  } as const;
  const banner = {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  };
  await Promise.all([
    build({
      ...common,
      entryPoints: {
        host: 'infra/local/functions-host/main.ts',
        preload: 'infra/local/functions-host/preload.ts',
        launch: 'test/infra/local/fixtures/launch.ts',
      },
      outdir: directory,
      packages: 'external',
      splitting: true,
    }),
    build({
      ...common,
      entryPoints: ['test/infra/local/fixtures/estate-app.ts'],
      outfile: join(appRoot, 'main.js'),
      external: ['@azure/functions-core'],
      banner,
    }),
  ]);
  await Promise.all([
    writeFile(join(directory, 'package.json'), JSON.stringify({ type: 'module' })),
    writeFile(join(appRoot, 'package.json'), JSON.stringify({ type: 'module', main: 'main.js' })),
    writeFile(join(appRoot, 'host.json'), JSON.stringify({ version: '2.0' })),
  ]);
  return { directory, appRoot, launcher: join(directory, 'launch.js') };
}
