import { availableParallelism } from 'node:os';
import { defineConfig, type Plugin } from 'vitest/config';

/** As the bundler does: a query file is its text. */
export const queryTexts = (): Plugin => ({
  name: 'query-texts',
  transform: (text, path) => (path.endsWith('.kql') ? `export default ${JSON.stringify(text)};` : undefined),
});

export default defineConfig({
  plugins: [queryTexts()],
  test: {
    root: new URL('..', import.meta.url).pathname,
    // Forked workers start with the environment of the global set-up, which is how they trust a local authority.
    pool: 'forks',
    // Vitest leaves one processor idle by itself; on a machine of two that is half of it.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // An end to what hangs, and no measure of the machine.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      // Modules of the app hold no state, so its tests share them from file to file, in half the time.
      { extends: true, test: { name: 'app', include: ['test/{functions,shared}/**/*.test.ts'], isolate: false } },
      // Vendor SDKs keep tokens in module state, so what talks to the estate starts each file afresh.
      { extends: true, test: { name: 'estate', include: ['test/{*,infra/**/*}.test.ts'] } },
      {
        extends: true,
        test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], testTimeout: 600_000, hookTimeout: 600_000 },
      },
    ],
  },
});
