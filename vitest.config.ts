import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A crash in the native addon must be one file's failure, not the run's.
    pool: 'forks',
    clearMocks: true,
    // Ends a test that hangs; no test is about speed. Whole processes run on a busy two-core machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: [
      'default',
      './test/support/skip-reporter.ts',
      ['json', { outputFile: '.test-results/vitest.json' }],
    ],
  },
});
