import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// `unit` stands beside the sources and needs nothing but them; `integration` runs the built executables, other brokers and a
// browser. `websocket` and `tls` play what is about bytes again, over those.
const aboutBytes = ['v5', 'v311', 'v31'].map((version) => `test/conformance/${version}/**/*.test.ts`);
const overTransport = (name: string, transport: 'ws' | 'tls') => ({
  extends: true as const,
  test: { name, include: [...aboutBytes, 'test/wire/**/*.test.ts'], env: { MQTT_TRANSPORT: transport } },
});

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
      overTransport('websocket', 'ws'),
      overTransport('tls', 'tls'),
    ],
  },
});
