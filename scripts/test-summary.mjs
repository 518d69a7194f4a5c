// @ts-check
/** Prints `N passed, N failed, N skipped` from the test runner's JSON. */
import { readFileSync } from 'node:fs';

const [path = '.test-results/vitest.json'] = process.argv.slice(2);

/** @type {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number, success: boolean }} */
let results;
try {
  results = JSON.parse(readFileSync(path, 'utf8'));
} catch {
  console.log('0 passed, 1 failed, 0 skipped');
  process.exit(1);
}
const skipped = results.numPendingTests + results.numTodoTests;
console.log(
  `${results.numPassedTests} passed, ${results.numFailedTests} failed, ${skipped} skipped`,
);
// A file that cannot be loaded fails the run without a failed test in it.
process.exitCode = results.success && results.numPassedTests > 0 ? 0 : 1;
