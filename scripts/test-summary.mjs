// @ts-check
/**
 * Prints `N passed, N failed, N skipped` from the test runner's JSON, as the last line. What failed stands before
 * it once more: the run itself printed that many screens above.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [path = '.test-results/vitest.json'] = process.argv.slice(2);

/**
 * @typedef {{ status: string, fullName: string, failureMessages: string[] }} Test
 * @typedef {{ name: string, status: string, message: string, assertionResults: Test[] }} File
 */

/** @type {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number, success: boolean, testResults: File[] }} */
let results;
try {
  results = JSON.parse(readFileSync(path, 'utf8'));
} catch {
  console.log('0 passed, 1 failed, 0 skipped');
  process.exit(1);
}

for (const { name, status, message, assertionResults } of results.testResults) {
  const file = relative(process.cwd(), name);
  const failed = assertionResults.filter((test) => test.status === 'failed');
  for (const { fullName, failureMessages } of failed) {
    console.log(`${file} > ${fullName}\n  ${failureMessages.join('\n  ').slice(0, 1500)}`);
  }
  if (status === 'failed' && failed.length === 0) console.log(`${file}: ${message}`);
}
const skipped = results.numPendingTests + results.numTodoTests;
console.log(
  `${results.numPassedTests} passed, ${results.numFailedTests} failed, ${skipped} skipped`,
);
// A file that cannot be loaded fails the run without a failed test in it.
process.exitCode = results.success && results.numPassedTests > 0 ? 0 : 1;
