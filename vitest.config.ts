import { defineConfig } from 'vitest/config';

/** Where .ci/run wants the results as JSON: npm cit passes no arguments on. */
const report = process.env.HOTRUN_TEST_REPORT;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real processes on few cores: what takes long is waiting for facts, each with a limit of its own.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
});
