import { defineConfig } from 'vitest/config';

/** The crash schedule: `npm run chaos`. Each file boots an estate and kills its host dozens of times, one file after the other. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/chaos/**/*.chaos.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 90_000,
  },
});
