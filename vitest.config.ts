import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Two projects: `unit` stands beside the sources and needs nothing but them; `integration` runs the built executables,
// other brokers and a browser.
export default defineConfig({
  test: {
    // A slow board is no failure: only a test that hangs reaches these.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: Math.max(2, availableParallelism()),
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['**/*.test.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'bench/**/*.test.ts', 'scripts/**/*.test.ts', 'console/src/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: { name: 'integration', globalSetup: 'test/harness/build.ts', include: ['test/**/*.test.ts'] },
      },
    ],
  },
});
