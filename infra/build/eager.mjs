import { relative, sep } from 'node:path';

/** What the names of late entries begin with in the bundler's account of what went where. */
const NAMESPACE = 'late';

/**
 * Keeps what the app loads at start in one chunk beside main.js, because each further file makes a start slower. esbuild makes
 * a chunk for each set of entries that share code, and each module that is loaded late is such an entry; when all of these
 * import main, whatever main loads is shared by all alike.
 */
export const eagerInOneChunk = (root, main) => ({
  name: 'eager-in-one-chunk',
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /./ }, async ({ path, importer, kind, resolveDir, pluginData }) => {
      if (kind !== 'dynamic-import' || pluginData === 'asked') return undefined;
      const found = await resolve(path, { importer, kind, resolveDir, pluginData: 'asked' });
      if (found.external || found.errors.length > 0) return found;
      return { path: relative(root, found.path).replaceAll(sep, '/'), namespace: NAMESPACE };
    });
    onLoad({ filter: /./, namespace: NAMESPACE }, ({ path }) => {
      const late = JSON.stringify(`./${path}`);
      // `export *` leaves the default out, which packages may have and we have not.
      const withDefault = path.includes('node_modules')
        ? `import * as late from ${late}; export default late.default;`
        : '';
      return { contents: `import './${main}'; export * from ${late}; ${withDefault}`, resolveDir: root };
    });
  },
});
