// Keeps what the app loads at start in few files and small.
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const LATE_IMPORT = /\bimport\('(\.[^']+)'\)/g;

/**
 * esbuild makes a chunk for each set of entries that share code, and each module that is loaded late is such an entry. When
 * all of these import main, whatever main loads at start is shared by all alike: one chunk.
 */
export const eagerInOneChunk = (root, main, folders) => ({
  name: 'eager-in-one-chunk',
  async setup({ onLoad }) {
    const late = new Set();
    for (const folder of folders) {
      for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
        const source = await readFile(join(entry.parentPath, entry.name), 'utf8');
        for (const [, to] of source.matchAll(LATE_IMPORT)) late.add(join(entry.parentPath, to));
      }
    }
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (!late.has(path)) return undefined;
      const source = await readFile(path, 'utf8');
      return {
        contents: `${source}\nimport ${JSON.stringify(join(root, main))};`,
        loader: 'ts',
        resolveDir: dirname(path),
      };
    });
  },
});

/**
 * The settings are read by zod/mini before anything else is loaded. What it shares with zod would be loaded at start whole, so
 * it gets a copy of its own, of which the bundle keeps what is used.
 */
export const copyOfItsOwn = (name) => ({
  name: 'copy-of-its-own',
  setup({ onResolve, onLoad, resolve }) {
    const suffix = `?${name}`;
    onResolve({ filter: /./ }, async ({ path, importer, kind, resolveDir, pluginData }) => {
      if (pluginData?.asked || !(path === name || pluginData?.inside)) return undefined;
      const {
        path: found,
        sideEffects,
        errors,
      } = await resolve(path, {
        importer,
        kind,
        resolveDir,
        pluginData: { asked: true },
      });
      return { path: found, sideEffects, errors, suffix };
    });
    onLoad({ filter: /\.js$/ }, async ({ path, suffix: given }) =>
      given === suffix ? { contents: await readFile(path, 'utf8'), pluginData: { inside: true } } : undefined,
    );
  },
});
