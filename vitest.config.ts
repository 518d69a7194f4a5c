import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** These load the native addon, whose crash must be one file's failure, or measure their own heap. */
const apart = [
  'test/{native,kvm,sweep,fuzz,suites}/**/*.test.ts',
  'test/exec/{*,qemu/*,codec/structs}.test.ts',
  'test/cli/{exec,host}.test.ts',
  'test/host/many-tds.test.ts',
  'test/diagnosis/explain/robustness.test.ts',
  'test/keeper/{td-directory,removal,recovery/inspect}.test.ts',
  'test/keeper/journal/journal.test.ts',
];

export default defineConfig({
  test: {
    clearMocks: true,
    setupFiles: ['./test/support/seed.ts', './test/support/state-directory.ts'],
    // Vitest leaves one CPU free, which on two of them is half; most of these tests wait for a process.
    maxWorkers: availableParallelism(),
    // Ends a test that hangs; no test is about speed. Whole processes run on a busy two-core machine.
    testTimeout: 300_000,
    expect: { poll: { timeout: 300_000, interval: 20 } },
    hookTimeout: 300_000,
    reporters: [
      'default',
      './test/support/skip-reporter.ts',
      ['json', { outputFile: '.test-results/vitest.json' }],
    ],
    projects: [
      { extends: true, test: { name: 'apart', include: apart, pool: 'forks' } },
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: apart,
          pool: 'forks',
          isolate: false,
        },
      },
    ],
  },
});
