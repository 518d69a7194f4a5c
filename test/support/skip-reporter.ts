/** Prints, after the run, every test that was skipped and its reason: none is skipped in silence. */
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const reasons = new Map<string, TestCase[]>();
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const result = test.result();
        const note = result.state === 'skipped' ? result.note : undefined;
        const reason = note ?? 'no reason given';
        reasons.set(reason, [...(reasons.get(reason) ?? []), test]);
      }
    }
    if (reasons.size === 0) {
      console.log('Nothing was skipped: this machine has all that the tests need.');
      return;
    }
    console.log('Skipped:');
    for (const [reason, tests] of reasons) {
      console.log(`  ${reason} (${tests.length})`);
      for (const test of tests)
        console.log(`    ${test.module.relativeModuleId}: ${test.fullName}`);
    }
  }
}
