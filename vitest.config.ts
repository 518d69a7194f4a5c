import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A crash in the native addon must be one file's failure, not the run's.
    pool: 'forks',
    clearMocks: true,
    reporters: [
      'default',
      './test/support/skip-reporter.ts',
      ['json', { outputFile: '.test-results/vitest.json' }],
    ],
  },
});
