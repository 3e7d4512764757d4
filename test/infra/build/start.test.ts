import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { activities } from '../../../functions/activity-table.ts';
import { ROUTES } from '../../../functions/triggers/operator.http.ts';
import {
  buildEmptyApp,
  contentsOf,
  lateModules,
  loadBundle,
  loadedWith,
  MAIN,
  sampleSettings,
  shippedMetafile,
} from '../../support/bundle.ts';
import { ORCHESTRATORS } from '../../support/stories.ts';
import { ROOT } from '../azure/template.ts';

const metafile = shippedMetafile(ROOT);
const settings = sampleSettings(ROOT);
const atStart = loadedWith(metafile, MAIN);

describe('what ships loads at start', () => {
  const { ours, packages } = contentsOf(metafile, atStart);

  test('no package that an empty app does not load', async () => {
    const empty = await buildEmptyApp(ROOT, join(tmpdir(), 'empty-app.mjs'), { write: false });
    const base = contentsOf(empty, Object.keys(empty.outputs)).packages;
    expect(base).toContain('durable-functions');
    expect(packages.filter((name) => !base.includes(name))).toEqual([]);
  });

  test('doors, orchestrations, what these decide by, and the settings, and nothing that touches the world', () => {
    expect(ours).toContain('functions/main.ts');
    expect(ours).toContain('functions/orchestrators/rotate-key.ts');
    const late =
      /^(functions\/(activities|capabilities)\/|functions\/[a-z-]*contracts\.ts|functions\/create-world\.ts|shared\/adapters\/)/;
    expect(ours.filter((file) => late.test(file))).toEqual([]);
    const operator = ours.filter((file) => file.startsWith('functions/operator/'));
    expect(operator.toSorted()).toEqual(['functions/operator/authorise.ts', 'functions/operator/problem.ts']);
  });

  test('two files, because each further one costs', () => {
    expect(atStart.length).toBeLessThanOrEqual(2);
  });
});

describe('what ships', () => {
  test('is all there: every module that anything loads late can be loaded, and every function is registered', async () => {
    const late = await lateImports();
    const modules = lateModules(metafile);
    expect(Object.keys(modules)).toEqual(
      expect.arrayContaining([
        'functions/create-world.ts',
        'functions/contracts/inputs.ts',
        'functions/capabilities/rotation.ts',
      ]),
    );
    expect(late).toEqual(expect.arrayContaining(Object.values(modules)));
    const { functions, failed } = loadBundle(
      ROOT,
      settings,
      join(ROOT, MAIN),
      late.map((path) => join(ROOT, path)),
    );
    expect(failed).toEqual([]);
    expect(new Set(functions).size).toBe(functions.length);
    const named = [
      ...Object.keys(activities),
      ...Object.keys(ORCHESTRATORS),
      ...ROUTES.map(({ operation }) => operation),
    ];
    expect(named.filter((name) => !functions.includes(name))).toEqual([]);
  });

  test('holds no file that nothing loads', async () => {
    const reached = new Set([MAIN, ...(await lateImports())].flatMap((entry) => loadedWith(metafile, entry)));
    const built = readdirSync(join(ROOT, 'dist/functions')).filter((name) => name.endsWith('.js'));
    expect(built.map((name) => `dist/functions/${name}`).filter((path) => !reached.has(path))).toEqual([]);
  });
});

/** Every `import()` in the files that ship, as the bundler reads them; one that points nowhere fails the reading. */
async function lateImports(): Promise<string[]> {
  const { metafile: read } = await build({
    absWorkingDir: ROOT,
    entryPoints: [MAIN],
    outdir: 'dist/functions',
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    external: ['@azure/functions-core'],
    metafile: true,
    logLevel: 'silent',
  });
  const imports = Object.values(read.inputs).flatMap(({ imports }) => imports);
  return [
    ...new Set(imports.flatMap(({ kind, path, external }) => (kind === 'dynamic-import' && !external ? [path] : []))),
  ];
}
