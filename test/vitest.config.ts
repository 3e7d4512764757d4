import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    // Forked workers start with the environment of the global set-up, which is how they trust a local authority.
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
