// Keeps what the app loads at start in one file: each file that is opened costs a start about as much as 100 KB of code in it.
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
